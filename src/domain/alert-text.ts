/**
 * An alert's text as fields. Senders such as TradingView let their users write the text: JSON, lines of `name=value`, or words. Numbers
 * keep the digits they were written with: they are money, and no JavaScript number comes between.
 */
import { isStorable, UNSTORABLE_TEXT } from './storable-text';

/** More is a mistake, and each is kept. */
export const MAX_ALERT_FIELDS = 100;
const MAX_DEPTH = 4;
/** Of one field's value. */
export const MAX_ALERT_VALUE = 1_024;
/** The field of a text that has none. */
export const WHOLE_TEXT = 'text';

/** A string, or a number outside of strings. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const PAIR = /^([A-Za-z0-9_.-]{1,64})\s*[=:]\s*(.*)$/;

/** The fields by name, those of objects as `outer.inner`, or what is wrong with the text. */
export function alertFields(text: string): { readonly fields: Readonly<Record<string, string>>; readonly problem: null } | { readonly problem: string } {
  const trimmed = text.trim();
  if (trimmed === '') return { problem: 'the alert is empty' };
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  const problem = trimmed.startsWith('{') ? fromJson(trimmed, fields) : fromLines(trimmed, fields);
  if (problem !== null) return { problem };
  const names = Object.keys(fields);
  if (names.length > MAX_ALERT_FIELDS) return { problem: `the alert has more than ${MAX_ALERT_FIELDS} fields` };
  const long = names.find((name) => (fields[name] ?? '').length > MAX_ALERT_VALUE);
  if (long !== undefined) return { problem: `field ${long.slice(0, MAX_ALERT_VALUE)} is longer than ${MAX_ALERT_VALUE} characters` };
  const unstorable = names.find((name) => !isStorable(name) || !isStorable(fields[name] ?? ''));
  if (unstorable !== undefined) return { problem: `field ${JSON.stringify(unstorable)} ${UNSTORABLE_TEXT}` };
  return { fields: { ...fields }, problem: null };
}

function fromJson(text: string, fields: Record<string, string>): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`)));
  } catch {
    return 'the alert starts like JSON and is none; is a placeholder without its quotes?';
  }
  return flatten(parsed, '', 0, fields);
}

function flatten(value: unknown, prefix: string, depth: number, fields: Record<string, string>): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'the alert must be an object';
  for (const [key, item] of Object.entries(value)) {
    const name = `${prefix}${key}`;
    if (item === null) continue;
    if (typeof item === 'string') fields[name] = item;
    else if (typeof item === 'boolean') fields[name] = String(item);
    else if (Array.isArray(item) || depth + 1 >= MAX_DEPTH) return `field ${name} is a list, or lies too deep`;
    else {
      const problem = flatten(item, `${name}.`, depth + 1, fields);
      if (problem !== null) return problem;
    }
  }
  return null;
}

/** `name=value`, by lines, commas or semicolons; a text in which not every part is a pair is one field. */
function fromLines(text: string, fields: Record<string, string>): string | null {
  const parts = text.split(/[\n,;]/).map((part) => part.trim()).filter((part) => part !== '');
  const pairs = parts.map((part) => PAIR.exec(part));
  if (pairs.some((pair) => pair === null)) {
    fields[WHOLE_TEXT] = text;
    return null;
  }
  for (const pair of pairs) fields[pair?.[1] ?? ''] = (pair?.[2] ?? '').trim();
  return null;
}
