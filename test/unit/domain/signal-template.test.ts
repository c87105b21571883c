/** What an alert's text says, and what a template makes of it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { alertFields, MAX_ALERT_FIELDS, MAX_ALERT_VALUE } from '../../../src/domain/alert-text';
import type { SignalFields } from '../../../src/domain/signal';
import { filled, placeholdersOf, readAlert, templateIssues, trialValues } from '../../../src/domain/signal-template';

const fieldsIn = (text: string): unknown => {
  const read = alertFields(text);
  return read.problem ?? read.fields;
};

describe('the text of an alert', () => {
  test.each([
    ['{"id": "a-1", "price": 50000.50, "ok": true, "none": null}', { id: 'a-1', price: '50000.50', ok: 'true' }],
    // TradingView's placeholders are numbers without quotes, and more digits than a JavaScript number has.
    ['{"close":0.123456789012345678901234567890,"n":-1e-7,"text":"costs 5, \\"7\\" or 1e3"}', { close: '0.123456789012345678901234567890', n: '-1e-7', text: 'costs 5, "7" or 1e3' }],
    ['{"strategy":{"order":{"action":"buy","contracts":2}}}', { 'strategy.order.action': 'buy', 'strategy.order.contracts': '2' }],
    ['id=a-1\naction = buy, price: 50000.5; note=', { id: 'a-1', action: 'buy', price: '50000.5', note: '' }],
    ['BTCUSDT Crossing 50,000', { text: 'BTCUSDT Crossing 50,000' }],
    ['  ', 'the alert is empty'],
    ['{"price": {{close}}}', 'the alert starts like JSON and is none; is a placeholder without its quotes?'],
    ['{"note":"a\\u0000"}', 'field "note" holds a character that no text can: U+0000, or half of a surrogate pair'],
    ['{"legs":[1,2]}', 'field legs is a list, or lies too deep'],
    ['{"a":{"b":{"c":{"d":{"e":1}}}}}', 'field a.b.c.d is a list, or lies too deep'],
    [`{"long":"${'x'.repeat(MAX_ALERT_VALUE + 1)}"}`, `field long is longer than ${MAX_ALERT_VALUE} characters`],
    [JSON.stringify(Object.fromEntries(Array.from({ length: MAX_ALERT_FIELDS + 1 }, (_, n) => [`f${n}`, 'x']))), `the alert has more than ${MAX_ALERT_FIELDS} fields`],
  ])('%s', (text, expected) => {
    expect(fieldsIn(text)).toEqual(expected);
  });

  test('whatever a value is, JSON brings it unchanged; a number keeps each of its digits', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.bigInt({ min: 0n, max: 10n ** 40n }), fc.bigInt({ min: 0n, max: 10n ** 20n }), (text, whole, fraction) => {
        expect(fieldsIn(`{"text":${JSON.stringify(text)},"number":${whole}.${fraction}}`)).toEqual({ text, number: `${whole}.${fraction}` });
      }),
      { numRuns: 1_000 },
    );
  });
});

const FIELDS: SignalFields = {
  id: { kind: 'text' },
  action: { kind: 'choice', options: { long: 'buy', short: 'sell' } },
  contracts: { kind: 'decimal', digits: 3 },
  price: { kind: 'decimal', required: false },
  slices: { kind: 'integer', fallback: '5' },
  exit: { kind: 'boolean', fallback: 'false' },
};
const TEMPLATE = { accountId: 'main', side: '{{action}}', quantity: '{{contracts}}', limitPrice: '{{price}}', reduceOnly: '{{exit}}', parameters: { slices: '{{ slices }}', note: 'for {{id}}', legs: ['{{price}}', 'x'] }, deep: null };

describe('a template', () => {
  test('gets each value as what it is; what is absent is left out, a quantity is cut and never raised', () => {
    const { values, issues } = readAlert(FIELDS, { id: 'a-1', action: 'short', contracts: '0.12999' });
    expect(issues).toEqual([]);
    expect(filled(TEMPLATE, values)).toEqual({ accountId: 'main', side: 'sell', quantity: '0.129', reduceOnly: false, parameters: { slices: 5, note: 'for a-1', legs: ['x'] }, deep: null });
  });

  test('is not filled by an alert that says something else: everything wrong is told at once', () => {
    const { issues } = readAlert(FIELDS, { action: 'toString', contracts: '1e3', slices: '1.5', exit: 'yes', surprise: 'x' });
    expect(issues).toEqual([
      { path: 'surprise', message: 'is not a field of this source; it takes id, action, contracts, price, slices, exit' },
      { path: 'id', message: 'is missing' },
      { path: 'action', message: 'must be one of long, short, and is toString' },
      { path: 'contracts', message: 'must be a decimal in plain notation, and is 1e3' },
      { path: 'slices', message: 'must be a whole number, and is 1.5' },
      { path: 'exit', message: 'must be true or false, and is yes' },
    ]);
    expect(readAlert(FIELDS, { id: '', action: 'long', contracts: '1' }).issues).toEqual([{ path: 'id', message: 'is missing' }]);
  });

  test('a value that looks like a placeholder is a value', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (text) => {
        const { values } = readAlert({ id: { kind: 'text' } }, { id: text });
        expect(filled('{{id}}', values)).toBe(text);
        expect(filled('a {{id}} b', values)).toBe(`a ${text} b`);
      }),
      { numRuns: 1_000, examples: [['{{id}}'], ['$&'], ['$1']] },
    );
    expect(filled('{{id}}', readAlert({ id: { kind: 'text' } }, { id: '{{id}}' }).values)).toBe('{{id}}');
  });

  test('names only fields that are declared, one account, and an alert id that no alert lacks', () => {
    expect(placeholdersOf(TEMPLATE)).toEqual(['action', 'contracts', 'price', 'exit', 'slices', 'id', 'price']);
    expect(templateIssues({ template: TEMPLATE, fields: FIELDS, alertId: '{{id}}/{{action}}' })).toEqual([]);
    expect(templateIssues({ template: { accountId: '{{id}}', side: '{{sied}}' }, fields: FIELDS, alertId: 'always' }).map(({ path }) => path)).toEqual(['template', 'alertId', 'template.accountId']);
    expect(templateIssues({ template: {}, fields: FIELDS, alertId: '{{price}}' })).toEqual([{ path: 'alertId', message: '{{price}} may be absent from an alert; use a field that is required' }]);
  });

  test('is tried with each choice, with and without what may be absent', () => {
    const tries = trialValues(FIELDS).map((values) => [values.get('action'), values.has('price')]);
    for (const wanted of [['buy', true], ['sell', true], ['buy', false], ['sell', false]]) expect(tries).toContainEqual(wanted);
  });
});
