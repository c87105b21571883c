import { describe, expect, test } from '@jest/globals';
import { rulesOfRun } from '../../../src/workflows/rules-of-run';

/** Temporal's answers to one execution: a patch holds where its history has it, or where the execution is new. */
function execution(has: (patch: string) => boolean) {
  const asked: string[] = [];
  const asks = (patch: string): boolean => {
    asked.push(patch);
    return has(patch);
  };
  return { asked, asks };
}

describe('the rules of an execution', () => {
  test('a new one asks once, at its start, and goes by all of them', () => {
    const { asked, asks } = execution(() => true);
    const holds = rulesOfRun(asks);
    expect([holds('native-stop-after-amendment'), holds('looks-when-due'), holds('pending-cancels-are-awaited')]).toEqual([true, true, true]);
    expect(asked).toEqual(['all-rules-from-the-start']);
  });

  test('one from before asks for each rule in its place, and goes by what it finds there', () => {
    const { asked, asks } = execution((patch) => patch === 'looks-when-due');
    const holds = rulesOfRun(asks);
    expect(asked).toEqual(['all-rules-from-the-start']);
    expect([holds('looks-when-due'), holds('native-stop-after-amendment')]).toEqual([true, false]);
    expect(asked).toEqual(['all-rules-from-the-start', 'looks-when-due', 'native-stop-after-amendment']);
  });

  test('a rule that came with the start is neither asked for nor held by one from before, whatever Temporal would say', () => {
    const { asked, asks } = execution((patch) => patch !== 'all-rules-from-the-start');
    expect(rulesOfRun(asks)('pending-cancels-are-awaited')).toBe(false);
    expect(asked).toEqual(['all-rules-from-the-start']);
  });
});
