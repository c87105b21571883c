/** From an alert's fields to a request: what each must be, and where it goes. Pure. */
import { decimal, Decimal, decimalText, isPlainDecimal } from './decimal';
import type { SignalField, SignalFields, SignalTemplate, TemplateValue } from './signal';

export interface TemplateIssue {
  /** The field of the alert, or the path in the template. */
  readonly path: string;
  readonly message: string;
}

export type AlertValue = string | number | boolean;
/** By field; what is absent and may be is not in it. */
export type AlertValues = ReadonlyMap<string, AlertValue>;

const PLACEHOLDER = /\{\{\s*([A-Za-z0-9_.-]{1,64})\s*\}\}/g;
const WHOLE = /^\{\{\s*([A-Za-z0-9_.-]{1,64})\s*\}\}$/;
const MAX_INTEGER_DIGITS = 15;

/** The alert's values in the template's terms, and everything that is wrong with them. */
export function readAlert(fields: SignalFields, alert: Readonly<Record<string, string>>): { readonly values: AlertValues; readonly issues: readonly TemplateIssue[] } {
  const values = new Map<string, AlertValue>();
  const issues: TemplateIssue[] = Object.keys(alert)
    .filter((name) => !Object.hasOwn(fields, name))
    .map((name) => ({ path: name, message: `is not a field of this source; it takes ${Object.keys(fields).join(', ')}` }));
  for (const [name, field] of Object.entries(fields)) {
    const given = Object.hasOwn(alert, name) && alert[name] !== '' ? alert[name] : field.fallback;
    if (given === undefined) {
      if (field.required !== false) issues.push({ path: name, message: 'is missing' });
      continue;
    }
    const value = valueOf(field, given);
    if (value === null) issues.push({ path: name, message: `must be ${expectation(field)}, and is ${given.slice(0, 64)}` });
    else values.set(name, value);
  }
  return { values, issues };
}

function valueOf(field: SignalField, given: string): AlertValue | null {
  switch (field.kind) {
    case 'text':
      return given;
    case 'decimal':
      return isPlainDecimal(given) ? cut(given, field.digits) : null;
    case 'integer':
      return /^-?\d+$/.test(given) && given.length <= MAX_INTEGER_DIGITS ? Number(given) : null;
    case 'boolean':
      return given === 'true' ? true : given === 'false' ? false : null;
    case 'choice':
      return Object.hasOwn(field.options, given) ? (field.options[given] ?? null) : null;
  }
}

/** Towards zero: a quantity that is cut is never larger than the alert's. */
function cut(text: string, digits: number | undefined): string {
  return digits === undefined ? text : decimalText(decimal(text).toDecimalPlaces(digits, Decimal.ROUND_DOWN));
}

function expectation(field: SignalField): string {
  if (field.kind === 'choice') return `one of ${Object.keys(field.options).join(', ')}`;
  return field.kind === 'decimal' ? 'a decimal in plain notation' : field.kind === 'integer' ? 'a whole number' : field.kind === 'boolean' ? 'true or false' : 'a text';
}

/** The template with the values in it. A property whose value is absent is left out; null for a text that lacks one. */
export function filled<Value extends TemplateValue>(template: Value, values: AlertValues): TemplateValue {
  const result = fill(template, values);
  return result === undefined ? null : result;
}

function fill(template: TemplateValue, values: AlertValues): TemplateValue | undefined {
  if (typeof template === 'string') return fillText(template, values);
  if (typeof template !== 'object' || template === null) return template;
  if (Array.isArray(template)) return template.map((item: TemplateValue) => fill(item, values)).filter((item) => item !== undefined);
  const entries = Object.entries(template).map(([key, value]) => [key, fill(value, values)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, TemplateValue] => entry[1] !== undefined));
}

function fillText(text: string, values: AlertValues): AlertValue | undefined {
  const whole = WHOLE.exec(text)?.[1];
  if (whole !== undefined) return values.get(whole);
  if (placeholdersOf(text).some((name) => !values.has(name))) return undefined;
  return text.replace(PLACEHOLDER, (_all, name: string) => String(values.get(name)));
}

/** The fields that it names. */
export function placeholdersOf(template: TemplateValue): readonly string[] {
  if (typeof template === 'string') return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap((value: TemplateValue) => placeholdersOf(value));
}

/** Alerts to try a template with: with and without what may be absent, and each choice, one at a time. */
export function trialValues(fields: SignalFields): readonly AlertValues[] {
  const all = new Map(Object.entries(fields).map(([name, field]) => [name, trialValue(field)]));
  const optional = Object.entries(fields).filter(([, field]) => field.required === false && field.fallback === undefined).map(([name]) => name);
  const without = (names: readonly string[]): AlertValues => new Map([...all].filter(([name]) => !names.includes(name)));
  const bases = [all, without(optional), ...optional.map((name) => without([name]))];
  const choices = Object.entries(fields).flatMap(([name, field]) => (field.kind === 'choice' ? Object.values(field.options).map((value) => [name, value] as const) : []));
  return [...bases, ...bases.flatMap((base) => choices.filter(([name]) => base.has(name)).map(([name, value]) => new Map([...base, [name, value]])))];
}

function trialValue(field: SignalField): AlertValue {
  switch (field.kind) {
    case 'text':
      return 'example';
    case 'decimal':
    case 'integer':
      return field.kind === 'decimal' ? '1' : 1;
    case 'boolean':
      return true;
    case 'choice':
      return Object.values(field.options)[0] ?? '';
  }
}

/** What can be said of a source's words without an alert. */
export function templateIssues({ template, fields, alertId }: { readonly template: SignalTemplate; readonly fields: SignalFields; readonly alertId: string }): readonly TemplateIssue[] {
  const undeclared = (path: string, text: TemplateValue): TemplateIssue[] =>
    [...new Set(placeholdersOf(text))].filter((name) => !Object.hasOwn(fields, name)).map((name) => ({ path, message: `{{${name}}} is not among the fields` }));
  const issues = [...undeclared('template', template), ...undeclared('alertId', alertId)];
  if (placeholdersOf(alertId).length === 0) issues.push({ path: 'alertId', message: 'must contain a field, such as {{id}}: it tells one alert from the next' });
  for (const name of new Set(placeholdersOf(alertId))) {
    const field = fields[name];
    if (field?.required === false && field.fallback === undefined) issues.push({ path: 'alertId', message: `{{${name}}} may be absent from an alert; use a field that is required` });
  }
  if (placeholdersOf(template['accountId'] ?? null).length > 0) issues.push({ path: 'template.accountId', message: 'must name one account: whoever has the token trades this one and no other' });
  return issues;
}
