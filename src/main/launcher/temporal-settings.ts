import { readFileSync } from 'node:fs';
import path from 'node:path';
import searchAttributes from '../../../temporal/search-attributes.json';
import { ROOT } from './folders';

/** One `--dynamic-config-value`: the value is JSON text. */
export interface DynamicSetting {
  readonly key: string;
  readonly value: string;
}

const KEY_LINE = /^([a-zA-Z][\w.]*):$/;
const VALUE_LINE = /^\s+- value: (\S+)$/;

/**
 * Reads the one shape that temporal/dynamicconfig.yaml promises: a key, then one item with a JSON value.
 * @throws Error with the line number for anything else, so that no setting is silently dropped.
 */
export function readDynamicConfig(yaml: string): DynamicSetting[] {
  const settings: DynamicSetting[] = [];
  let key: string | undefined;
  for (const [index, line] of yaml.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const nextKey = KEY_LINE.exec(line)?.[1];
    const value = VALUE_LINE.exec(line)?.[1];
    if (nextKey !== undefined && key === undefined) key = nextKey;
    else if (value !== undefined && key !== undefined) {
      settings.push({ key, value });
      key = undefined;
    } else throw new Error(`temporal/dynamicconfig.yaml line ${index + 1} is not "key:" followed by "  - value: <JSON>": ${line}`);
  }
  if (key !== undefined) throw new Error(`temporal/dynamicconfig.yaml ends before the value of ${key}`);
  return settings;
}

/** The flags that give the single-node server its settings and search attributes. */
export function serverFlags(): string[] {
  const file = path.join(ROOT, 'temporal', 'dynamicconfig.yaml');
  return [
    ...readDynamicConfig(readFileSync(file, 'utf8')).flatMap(({ key, value }) => ['--dynamic-config-value', `${key}=${value}`]),
    ...searchAttributes.flatMap(({ name, type }) => ['--search-attribute', `${name}=${type}`]),
  ];
}
