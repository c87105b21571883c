import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020';
import { eventCatalogue } from '../../../src/schemas/webhook-events';
import { EVENTS_PAGE, eventsPage } from './events-page';

const page = readFileSync(EVENTS_PAGE, 'utf8');
const blocks = [...page.matchAll(/```json\n(.*)\n```/g)].map(([, json = '']) => JSON.parse(json) as Record<string, unknown>);

describe('docs/events.md', () => {
  test('is the catalogue that the API answers; write-events-page.ts writes it anew', () => {
    expect(page === eventsPage()).toBe(true);
  });

  test('has each type once, with an example that the schema of its section takes', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const shown: unknown[] = [];
    let takes: ReturnType<typeof ajv.compile> | null = null;
    for (const each of blocks) {
      if ('$schema' in each) takes = ajv.compile(each);
      else {
        expect([each['type'], takes?.(each), takes?.errors]).toEqual([each['type'], true, null]);
        shown.push(each['type']);
      }
    }
    expect([...shown].sort()).toEqual(eventCatalogue().map(({ type }) => type).sort());
  });

  test('that misses a type, or tells another schema, is found', () => {
    const [first, ...rest] = eventCatalogue();
    if (first === undefined) throw new Error('the catalogue is empty');
    expect(page).not.toBe(eventsPage(rest));
    expect(page).not.toBe(eventsPage([{ ...first, description: 'another' }, ...rest]));
  });
});
