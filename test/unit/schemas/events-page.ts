/** docs/events.md, made of the catalogue that `GET /api/v1/webhooks/event-types` answers. */
import path from 'node:path';
import { eventCatalogue, type CatalogueEntry } from '../../../src/schemas/webhook-events';

export const EVENTS_PAGE = path.resolve(__dirname, '../../../docs/events.md');

const INTRODUCTION = `# Events

Every type of event that webhooks deliver: what it says, the JSON schema (2020-12) of its body, and an example that the schema takes. The same catalogue is
\`GET /api/v1/webhooks/event-types\`. This page is made of it by \`node -r ./scripts/typescript.js test/unit/schemas/write-events-page.ts\`, and a test
holds them together. How bodies are signed and sent: [webhooks](webhooks.md). The Socket.io channels carry the same \`data\`: [streams](streams.md).

A later version may add fields: this is the schema of the version that you read. Decimals are strings, times are ISO 8601 in UTC.
`;

/** Types whose bodies differ in nothing but their type are one section, with one schema. */
export function eventsPage(catalogue: readonly CatalogueEntry[] = eventCatalogue()): string {
  const sections = new Map<string, CatalogueEntry[]>();
  for (const entry of catalogue) {
    const shape = JSON.stringify([entry.description, bodyOf(entry.schema, [])]);
    sections.set(shape, [...(sections.get(shape) ?? []), entry]);
  }
  return [INTRODUCTION, ...[...sections.values()].map(section)].join('\n');
}

function section(entries: readonly CatalogueEntry[]): string {
  const [first] = entries;
  if (first === undefined) throw new RangeError('a section has a type');
  const types = entries.map(({ type }) => type);
  const examples = entries.map(({ type, example }) => `\`${type}\`:\n\n${block(example)}`);
  return [`## ${types.join(', ')}`, first.description, 'The schema of the body:', block(bodyOf(first.schema, types)), types.length === 1 ? 'An example:' : 'An example of each:', ...examples, ''].join('\n\n');
}

/** With all types of the section in the place of the one. */
function bodyOf(schema: CatalogueEntry['schema'], types: readonly string[]): object {
  const properties = schema['properties'] as Readonly<Record<string, unknown>>;
  return { ...schema, properties: { ...properties, type: types.length === 1 ? { const: types[0] } : { enum: types } } };
}

function block(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
}
