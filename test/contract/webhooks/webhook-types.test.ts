/** Whatever the type: what the outbox holds reaches the endpoint that wants it, signed, as the catalogue describes it, once. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import { Client } from 'pg';
import { EVENT_TYPES } from '../../../src/domain/events';
import { webhookTypesOf, WEBHOOK_TEST } from '../../../src/domain/webhook';
import { eventCatalogue, WEBHOOK_EVENT_TYPES } from '../../../src/schemas/webhook-events';
import { WebhookWorld } from './webhook-world';

let hooks: WebhookWorld;
let sql: Client;
beforeAll(async () => {
  hooks = await WebhookWorld.open();
  await hooks.begin();
  sql = new Client({ connectionString: hooks.world.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await hooks.end();
  await hooks.close();
});

/** The examples of the catalogue, as the rows that a change would have left: of the account, then of its user. */
async function commitExamples(): Promise<void> {
  const { account, world } = hooks;
  const examples = new Map(eventCatalogue().map(({ type, example }) => [type, (example as { data: unknown }).data]));
  const types = [...EVENT_TYPES];
  const half = types.length >> 1;
  for (const [table, id, stream, accountId, some] of [
    ['accounts', account.id, `account:${account.id}`, account.id, types.slice(0, half)],
    ['users', world.userId, `user:${world.userId}`, null, types.slice(half)],
  ] as const) {
    const { rows } = await sql.query<{ event_sequence: string }>(`UPDATE ${table} SET event_sequence = event_sequence + $2 WHERE id = $1 RETURNING event_sequence - $2 AS event_sequence`, [id, some.length]);
    const before = Number(rows[0]?.event_sequence);
    for (const [index, type] of some.entries()) {
      await sql.query('INSERT INTO events(stream, sequence, user_id, account_id, type, at, data) VALUES ($1, $2, $3, $4, $5, $6, $7)', [stream, before + index + 1, world.userId, accountId, type, new Date(world.clock.ms), JSON.stringify(examples.get(type))]);
    }
  }
}

test('each type of event that there is is delivered once under each of its names, signed, and as its schema says', async () => {
  const every = await hooks.subscribe({ accountIds: null });
  await commitExamples();
  for (let { delivered } = await hooks.round(every); delivered > 0; { delivered } = await hooks.round(every));

  const received = hooks.receiver.accepted.filter(({ verifies }) => verifies);
  const expected = EVENT_TYPES.flatMap((type) => webhookTypesOf({ type }));
  expect(received.map(({ type }) => type).sort()).toEqual([...expected].sort());
  expect([...new Set([...expected, WEBHOOK_TEST])].sort()).toEqual([...WEBHOOK_EVENT_TYPES].sort());
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const wrong = received.flatMap(({ type, body }) => {
    const validate = ajv.compile(eventCatalogue().find((entry) => entry.type === type)?.schema ?? false);
    return validate(body) ? [] : [{ type, errors: validate.errors }];
  });
  expect(wrong).toEqual([]);
});
