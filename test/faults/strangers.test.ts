/** S54: nothing of one user's is another's, on any route or socket channel; and no request that can be made finds a 500 or an undocumented status. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { ACCOUNT_CHANNELS, USER_CHANNELS } from '../../src/schemas/socket';
import { ApiClient, type ApiOrder } from '../support/api-client';
import { operationsOf, sample, type Document, type Operation, type Parameter } from '../support/open-api-samples';
import { findSchemathesis, fuzz } from '../support/schemathesis';
import { temporaryFolder } from '../support/servers';
import { StreamClient } from '../support/socket-client';
import { startStack, type Stack } from '../support/stack';
import { newMoney } from '../support/money-rows';
import { queried } from '../support/queried';

const found = findSchemathesis();
if ('missing' in found) process.stderr.write(`SKIPPED: fuzzing from the OpenAPI document: ${found.missing}\n`);
const FULL = process.env['SUREFILL_TEST_FULL'] === '1';

let stack: Stack;
let document: Document;
let stranger: ApiClient;
/** Ids that are the owner's, by the word a path, query or body has for them. */
let owned: Record<string, string>;

beforeAll(async () => {
  stack = await startStack();
  document = (await stack.client.call<Document>('GET', '/api/v1/openapi.json')).body;
  stranger = new ApiClient(stack.apiUrl, await newUser('a stranger'));
  const clientOrderId = `mine-${randomUUID()}`;
  const terms = { accountId: stack.accountId, symbol: 'BTC-PERP', side: 'buy', quantity: '0.01' };
  const rule = (await stack.client.call<{ id: string }>('POST', '/api/v1/alert-rules', { kind: 'fill', name: 'the owner\'s fills' })).body;
  const channel = (await stack.client.call<{ id: string }>('POST', '/api/v1/alert-channels', { kind: 'telegram', name: 'the owner\'s phone', botToken: '123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11', chatId: '1' })).body;
  const resting = await stack.client.call<ApiOrder>('POST', '/api/v1/orders', { ...terms, clientOrderId, type: 'limit', limitPrice: '1000' });
  // The first price may be on its way.
  await stack.client.until('a market order', async () => ((await stack.client.call('POST', '/api/v1/orders', { ...terms, clientOrderId: `bought-${randomUUID()}`, type: 'market' })).status === 201 ? true : null));
  const apiKey = (await stack.client.call<{ id: string }>('POST', '/api/v1/api-keys', { name: 'the owner\'s second', scopes: ['read'] })).body;
  const position = await stack.client.until('a position', async () => (await stack.client.call<{ positions: { id: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`)).body.positions[0] ?? null);
  if (resting.status !== 201) throw new Error(`the owner has nothing to hide: ${JSON.stringify(resting.body)}`);
  const strategy = (await stack.client.call<{ id: string }>('POST', '/api/v1/strategies', { ...terms, clientStrategyId: clientOrderId, type: 'iceberg', parameters: { limitPrice: '1000', displayQuantity: '0.01' } })).body;
  const exit = { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '100' };
  const orderList = (await stack.client.call<{ id: string }>('POST', '/api/v1/order-lists', { accountId: stack.accountId, clientListId: clientOrderId, type: 'OUO', symbol: 'BTC-PERP', legs: [exit, exit] })).body;
  const apart = (await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'held apart', venue: 'paper', credentials: { key: `apart-${randomUUID()}` } })).body;
  const killSwitch = (await stack.client.call<{ id: string }>('POST', '/api/v1/kill-switch', { scope: 'account', accountId: apart.id, mode: 'halt' })).body;
  const webhook = (await stack.client.call<{ id: string }>('POST', '/api/v1/webhooks', { url: 'https://receiver.invalid/hook', eventTypes: ['*'] })).body;
  const delivery = (await stack.client.call<{ id: string }>('POST', `/api/v1/webhooks/${webhook.id}/test`)).body;
  const signalSource = (await stack.client.call<{ id: string; token: string }>('POST', '/api/v1/signal-sources', { name: 'the owner\'s', kind: 'order', template: { accountId: stack.accountId, symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '{{quantity}}' }, fields: { id: { kind: 'text' }, quantity: { kind: 'decimal' } } })).body;
  const signal = (await stack.client.call<{ id: string }>('POST', `/api/v1/signals/${signalSource.token}?dryRun=true`, { id: 'mine', quantity: '0.01' })).body;
  const alert = await stack.client.until('an alert of the owner\'s fill', async () => (await stack.client.call<{ alerts: { id: string }[] }>('GET', '/api/v1/alerts')).body.alerts[0] ?? null);
  owned = { ruleId: rule.id, channelId: channel.id, raisedAlertId: alert.id, accountId: stack.accountId, orderId: resting.body.id, positionId: position.id, apiKeyId: apiKey.id, webhookId: webhook.id, deliveryId: delivery.id, clientOrderId, strategyId: strategy.id, orderListId: orderList.id, killSwitchId: killSwitch.id, signalSourceId: signalSource.id, signalId: signal.id, ...(await newMoney(stack.postgres.url, stack.accountId)) };
}, 180_000);
afterAll(() => stack.stop());

/** A user with a key that may everything: what it is refused is refused for whose it is. */
async function newUser(name: string): Promise<string> {
  const [userId, key] = [randomUUID(), `sf_${randomBytes(24).toString('hex')}`];
  await queried(stack.postgres.url, 'INSERT INTO users(id, name) VALUES ($1, $2)', userId, name);
  await queried(stack.postgres.url, 'INSERT INTO api_keys(id, user_id, name, key_hash, scopes) VALUES ($1, $2, $3, $4, $5)', randomUUID(), userId, name, createHash('sha256').update(key).digest('hex'), ['read', 'trade', 'admin']);
  return key;
}

/** The owner's id that this path parameter would name; null where it names nobody's: a symbol, a venue. */
function ownedId(path: string, { name }: Parameter): string | null {
  if (name !== 'id') return owned[name] ?? null;
  const kinds = { accounts: 'accountId', orders: 'orderId', positions: 'positionId', 'api-keys': 'apiKeyId', webhooks: 'webhookId', 'alert-rules': 'ruleId', 'alert-channels': 'channelId', alerts: 'raisedAlertId', strategies: 'strategyId', 'kill-switch': 'killSwitchId', 'signal-sources': 'signalSourceId', deposits: 'depositId', suspense: 'suspenseId', withdrawals: 'withdrawalId', 'withdrawal-addresses': 'withdrawalAddressId', 'order-lists': 'orderListId', 'collateral-moves': 'collateralMoveId' };
  const kind = Object.entries(kinds).find(([part]) => path.includes(`/${part}/`));
  const id = kind === undefined ? undefined : owned[kind[1]];
  if (id === undefined) throw new Error(`${path} names ids of a kind this test does not know: give it one of the owner's`);
  return id;
}

interface Asked {
  readonly url: string;
  readonly body: unknown;
  /** Whether it names something of the owner's. */
  readonly namesOwned: boolean;
}

const CLIENT_ORDER_ID = 'strange';

/** Each client id another one: those of a list must differ. */
function distinct(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll(`"${CLIENT_ORDER_ID}"`, () => `"${CLIENT_ORDER_ID}-${randomUUID()}"`));
}

/** Every parameter and field that can hold an id of the owner's holds it. */
function requestFor({ path, parameters, body }: Operation): Asked {
  let namesOwned = false;
  const valueOf = (parameter: Parameter, id: string | null): string => {
    if (id !== null) namesOwned = true;
    return encodeURIComponent(id ?? String(sample(document, parameter.schema, {}, parameter.name)));
  };
  let url = path;
  for (const parameter of parameters.filter((each) => each.in === 'path')) url = url.replace(`{${parameter.name}}`, valueOf(parameter, parameter.name === 'venue' ? 'paper' : ownedId(path, parameter)));
  if (path.includes('{venue}')) namesOwned = false;
  const query = parameters.filter((each) => each.in === 'query' && (each.required || each.name in owned)).map((each) => `${each.name}=${valueOf(each, owned[each.name] ?? null)}`);
  const sent = body === null ? undefined : distinct(sample(document, body, { ...owned, symbol: 'BTC-PERP', clientOrderId: CLIENT_ORDER_ID }));
  if (JSON.stringify(sent ?? null).includes(stack.accountId)) namesOwned = true;
  return { url: query.length === 0 ? url : `${url}?${query.join('&')}`, body: sent, namesOwned };
}

/** A batch answers 200, and for each of its items what that would have answered alone. */
function statusesOf({ status, body }: { readonly status: number; readonly body: Record<string, unknown> }): unknown[] {
  const { results } = body;
  return status === 200 && Array.isArray(results) && results.length > 0 ? results.map((result: { status: unknown }) => result.status) : [status];
}

const headers = (): Record<string, string> => ({ 'idempotency-key': randomUUID(), 'if-match': '"1"' });

describe('another user\'s ids', () => {
  test('are not found on any route, and nothing of the owner\'s is told', async () => {
    const operations = operationsOf(document).filter(({ isOpen }) => !isOpen);
    expect(operations.length).toBeGreaterThan(30);
    const wrong: string[] = [];
    let foreign = 0;
    for (const operation of operations) {
      const { url, body, namesOwned } = requestFor(operation);
      const answer = await stranger.call(operation.method, url, body, headers());
      const told = JSON.stringify(answer.body);
      if (namesOwned) foreign += 1;
      if (namesOwned && !statusesOf(answer).every((status) => status === 404 || status === 403)) wrong.push(`${operation.method} ${url} answered ${answer.status}: ${told.slice(0, 200)}`);
      for (const [name, id] of Object.entries(owned)) if (answer.status < 300 && told.includes(id)) wrong.push(`${operation.method} ${url} tells the owner's ${name}`);
    }
    expect(wrong).toEqual([]);
    expect(foreign).toBeGreaterThan(15);
    const order = await stack.client.call<ApiOrder>('GET', `/api/v1/orders/${owned['orderId']}`);
    expect([order.body.state, order.body.limitPrice]).toEqual(['WORKING', '1000']);
    const { body: keys } = await stack.client.call<{ apiKeys: { id: string; revokedAt: string | null; expiresAt: string | null }[] }>('GET', '/api/v1/api-keys');
    expect(keys.apiKeys.find(({ id }) => id === owned['apiKeyId'])).toMatchObject({ revokedAt: null, expiresAt: null });
  });

  test('open no socket channel', async () => {
    const live = await StreamClient.connect(stack.apiUrl, stranger.key);
    try {
      for (const channel of ACCOUNT_CHANNELS) expect([channel, await live.subscribe({ channel, accountId: owned['accountId'] })]).toEqual([channel, { error: expect.objectContaining({ code: 'NOT_FOUND' }) }]);
      // Those of one's own show nothing of the owner's.
      for (const channel of USER_CHANNELS) expect([channel, await live.subscribe({ channel })]).toEqual([channel, expect.objectContaining({ snapshot: [], sequence: 0 })]);
      await stack.client.call('PATCH', `/api/v1/accounts/${owned['accountId']}`, { name: 'changed while a stranger listens' });
      // Answered after whatever the change might have sent.
      await live.subscribe({ channel: 'orders', accountId: owned['accountId'] });
      expect(live.events).toEqual([]);
    } finally {
      live.close();
    }
  });

  test('without a key nothing is told, and a key that may read changes nothing', async () => {
    const nobody = new ApiClient(stack.apiUrl, 'sf_nobody_0123456789');
    const made = await stack.client.call<{ key: string }>('POST', '/api/v1/api-keys', { name: 'reader', scopes: ['read'] });
    const reader = new ApiClient(stack.apiUrl, made.body.key);
    for (const operation of operationsOf(document).filter(({ isOpen }) => !isOpen)) {
      const { url, body } = requestFor(operation);
      expect([operation.operationId, (await nobody.call(operation.method, url, body, headers())).status]).toEqual([operation.operationId, 401]);
      if (operation.method !== 'GET' && !operation.operationId.startsWith('preview')) expect([operation.operationId, (await reader.call(operation.method, url, body, headers())).status]).toEqual([operation.operationId, 403]);
    }
  });
});

describe('an account whose key is replaced', () => {
  test('trades on with the new key, and its watcher holds the new stream', async () => {
    const made = await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'to be changed', venue: 'paper', credentials: { key: `first-${randomUUID()}` } });
    const secondKey = `second-${randomUUID()}`;
    expect((await stack.client.call('PATCH', `/api/v1/accounts/${made.body.id}`, { credentials: { key: secondKey } })).status).toBe(200);
    const order = await stack.client.call<ApiOrder>('POST', '/api/v1/orders', { accountId: made.body.id, clientOrderId: 'with-the-new-key', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
    expect([order.status, order.body.state]).toEqual([201, 'WORKING']);
    // Canceled where only a watcher with the new key hears of it.
    const canceled = await fetch(`${stack.simulator.url}/orders/cancel`, { method: 'POST', headers: { 'x-paper-key': secondKey, 'content-type': 'application/json' }, body: JSON.stringify({ cancels: [{ orderId: order.body.venueOrderId }] }) });
    expect(canceled.status).toBe(200);
    await stack.client.untilState(order.body.id, 'CANCELED');
    expect((await stack.client.call<{ leverage: string }>('PUT', `/api/v1/accounts/${made.body.id}/leverage`, { symbol: 'BTC-PERP', leverage: '3' })).body.leverage).toBe('3');
    expect((await stack.client.call('DELETE', `/api/v1/accounts/${made.body.id}`)).status).toBe(200);
    expect((await stack.client.call('GET', `/api/v1/accounts/${made.body.id}`)).status).toBe(404);
  });
});

describe('fuzzing from the document', () => {
  const run = 'program' in found ? test : test.skip;
  run('finds no 500, no undocumented status and no answer of another shape', async () => {
    if ('missing' in found) throw new Error(found.missing);
    const key = await newUser('a fuzzer');
    const fuzzer = new ApiClient(stack.apiUrl, key);
    expect((await fuzzer.call('POST', '/api/v1/accounts', { name: 'fuzzed', venue: 'paper' })).status).toBe(201);
    // Every boundary of every field in the full run; a taste of it in the quick one.
    const { code, output } = await fuzz(found.program, { url: stack.apiUrl, key, phases: FULL ? 'examples,coverage,fuzzing' : 'examples,fuzzing', examples: FULL ? 40 : 5, seed: 1, folder: temporaryFolder('fuzz') });
    if (code !== 0) throw new Error(`schemathesis ended with ${code}:\n${output.slice(-8_000)}`);
    expect(output).toMatch(/Tested: \d\d/);
    expect(stack.api.log()).not.toContain('an error of ours');
    expect((await fuzzer.call('GET', '/readyz')).status).toBe(200);
    // A thousand requests: on a busy machine they take minutes.
  }, 400_000);
});
