import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readDynamicConfig, serverFlags } from '../../../src/main/launcher/temporal-settings';

const text = readFileSync(path.resolve(__dirname, '../../../temporal/dynamicconfig.yaml'), 'utf8');

describe('settings of the Temporal server', () => {
  test('npm start reads temporal/dynamicconfig.yaml as YAML readers do', () => {
    const whole = parse(text) as Record<string, { value: unknown; constraints?: unknown }[]>;
    const expected = Object.entries(whole).map(([key, items]) => {
      expect(items).toHaveLength(1);
      expect(items[0]?.constraints).toBeUndefined();
      return { key, value: JSON.stringify(items[0]?.value) };
    });
    expect(readDynamicConfig(text)).toEqual(expected);
  });

  test('every value says its reason in the comment above it', () => {
    const keys = text.split('\n').flatMap((line, index, lines) => (/^\w[\w.]*:$/.test(line) ? [{ line, above: lines[index - 1] ?? '' }] : []));
    const paired = ['matching.numTaskqueueWritePartitions:', 'frontend.rps:', 'matching.rps:']; // the reason of the one before
    expect(keys.filter(({ line, above }) => !above.startsWith('#') && !paired.includes(line))).toEqual([]);
  });

  test('the server gets every value and search attribute by flag', () => {
    const flags = serverFlags().join(' ');
    expect(flags).toContain('--dynamic-config-value history.transferProcessorMaxPollRPS=2000');
    expect(flags).toContain('--dynamic-config-value system.enableActivityEagerExecution=true');
    expect(flags).toContain('--search-attribute ClientOrderIds=KeywordList');
  });

  test.each([
    ['a value without a key', '  - value: 1\n', 'line 1'],
    ['a key without a value', 'history.rps:\nmatching.rps:\n  - value: 1\n', 'line 2'],
    ['a key at the end', 'history.rps:\n', 'ends before the value of history.rps'],
    ['constraints, which a flag cannot carry', 'history.rps:\n  - value: 1\n    constraints: {}\n', 'line 3'],
  ])('%s is refused with its place', (_what, yaml, place) => {
    expect(() => readDynamicConfig(yaml)).toThrow(place);
  });
});
