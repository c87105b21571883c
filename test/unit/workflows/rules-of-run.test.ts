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

const NEWEST = 'ended-orders-are-folded-from-the-start';
/** Newest first. */
const STARTS = [NEWEST, 'all-rules-from-the-start'];

describe('the rules of an execution', () => {
  test('a new one asks once, at its start, and goes by all of them', () => {
    const { asked, asks } = execution(() => true);
    const holds = rulesOfRun(asks);
    expect([holds('native-stop-after-amendment'), holds('looks-when-due'), holds('pending-cancels-are-awaited'), holds('ended-orders-are-folded')]).toEqual([true, true, true, true]);
    expect(asked).toEqual([NEWEST]);
  });

  test('one from before asks for each rule in its place, and goes by what it finds there', () => {
    const { asked, asks } = execution((patch) => patch === 'looks-when-due');
    const holds = rulesOfRun(asks);
    expect(asked).toEqual(STARTS);
    expect([holds('looks-when-due'), holds('native-stop-after-amendment')]).toEqual([true, false]);
    expect(asked).toEqual([...STARTS, 'looks-when-due', 'native-stop-after-amendment']);
  });

  test('a rule that came with the start is neither asked for nor held by one from before, whatever Temporal would say', () => {
    const { asked, asks } = execution((patch) => !STARTS.includes(patch));
    expect(rulesOfRun(asks)('pending-cancels-are-awaited')).toBe(false);
    expect(asked).toEqual(STARTS);
  });

  test('one that began in an earlier generation has its rules and all from before, and none that came later', () => {
    const { asked, asks } = execution((patch) => patch === 'all-rules-from-the-start');
    const holds = rulesOfRun(asks);
    expect([holds('pending-cancels-are-awaited'), holds('looks-when-due'), holds('ended-orders-are-folded')]).toEqual([true, true, false]);
    expect(asked).toEqual(STARTS);
  });
});
