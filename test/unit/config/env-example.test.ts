import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { loadSettings } from '../../../src/config/settings';
import type { SettingRow } from '../../../src/config/setting-kinds';
import { SETTINGS_TABLE } from '../../../src/config/settings-table';

const lines = readFileSync(path.resolve(__dirname, '../../../.env.example'), 'utf8').split('\n');
const assignments = lines
  .map((line, index) => ({ match: /^(# )?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line), above: lines[index - 1] ?? '' }))
  .flatMap(({ match, above }) => (match ? [{ absent: match[1] !== undefined, name: match[2] ?? '', value: match[3] ?? '', above }] : []));

test.each(Object.values(SETTINGS_TABLE).map((row: SettingRow<unknown>) => [row.env, row] as const))(
  '.env.example documents %s with its default and unit',
  (env, row) => {
    const found = assignments.filter((assignment) => assignment.name === env);
    expect(found).toEqual([
      {
        absent: row.default === undefined,
        name: env,
        value: row.default === undefined ? '' : `${row.default as string | number}`,
        above: `# ${row.description}${row.unit === '' ? '' : ` Unit: ${row.unit}.`}`,
      },
    ]);
  },
);

test('.env.example names nothing that is not a setting', () => {
  const known = new Set([...Object.values(SETTINGS_TABLE).map((row) => row.env), 'SUREFILL_PAPER_HTTP_URL', 'SUREFILL_PAPER_WS_URL', 'SUREFILL_HYPERLIQUID_NETWORK', 'SUREFILL_HYPERLIQUID_DEXES', 'SUREFILL_HYPERLIQUID_DEXES_WITHOUT_CLOID', 'SUREFILL_HYPERLIQUID_WEIGHT_PER_MINUTE']);
  expect(assignments.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

test('.env.example taken as it is gives exactly the defaults', () => {
  const taken = Object.fromEntries(assignments.filter(({ absent }) => !absent).map(({ name, value }) => [name, value]));
  expect(loadSettings(taken)).toEqual(loadSettings({}));
});
