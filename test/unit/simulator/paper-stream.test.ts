/** The paper venue's WebSocket: private events, market data, and faults that meet frames. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StartedSimulator } from '../../../src/simulator';
import { type Message, TestClient, TestStream, startQuiet } from './paper-client';

let simulator: StartedSimulator;
let client: TestClient;
let streams: TestStream[];
beforeEach(async () => {
  streams = [];
  ({ simulator, client } = await startQuiet());
  // The account is made, and its first credit told, before anyone listens.
  await client.get('/balances');
});
afterEach(async () => {
  for (const stream of streams) stream.close();
  await simulator.close();
});

async function accountStream(): Promise<TestStream> {
  const stream = await TestStream.account(simulator.wsUrl, client.key);
  streams.push(stream);
  return stream;
}

const kinds = (stream: TestStream): unknown[] => stream.messages('account').map((message) => message.event?.['kind']);
const sequences = (stream: TestStream): unknown[] => stream.messages('account').map((message) => message['sequence']);

function expectGapFree(messages: readonly Message[]): void {
  messages.slice(1).forEach((message, index) => expect(message['previousSequence']).toBe(messages[index]?.['sequence']));
}

describe('the private channel', () => {
  test('needs a key, then tells orders, fills, positions and balances without a gap', async () => {
    const stream = await TestStream.open(simulator.wsUrl);
    streams.push(stream);
    stream.send({ op: 'subscribe', channel: 'account' });
    await stream.until(() => stream.heard.length === 1);
    expect(stream.heard[0]).toMatchObject({ op: 'error', error: { code: 'UNAUTHORIZED' } });
    const heard = await accountStream();
    await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: '30' });
    await heard.caughtUp();
    expect(kinds(heard)).toEqual(['order', 'fill', 'position', 'balance']);
    const acknowledged = heard.heard.find((message) => message['op'] === 'subscribed')?.['sequence'];
    expect(heard.messages('account')[0]?.['previousSequence']).toBe(acknowledged);
    expectGapFree(heard.messages('account'));
    expect(heard.messages('account')[0]?.event?.['order']).toMatchObject({ status: 'filled', filledQuantity: '30' });
  });

  test('a wrong key is refused without control over who is there', async () => {
    const closed = await startQuiet({ openAccounts: false });
    const stream = await TestStream.open(closed.simulator.wsUrl);
    stream.send({ op: 'auth', key: 'nobody' });
    await stream.until(() => stream.heard.length > 0);
    expect(stream.heard[0]).toMatchObject({ op: 'auth', ok: false, error: { code: 'UNAUTHORIZED' } });
    stream.close();
    await closed.simulator.close();
  });

  test('an order that the market fills later is told without asking', async () => {
    const heard = await accountStream();
    await client.place({ price: '1.9' });
    await client.post('/__sim/prices', { symbol: 'XRP-PERP', price: '1.8' });
    await heard.until(() => kinds(heard).includes('fill'));
    expect(heard.messages('account').find((message) => message.event?.['fill'] !== undefined)?.event?.['fill']).toMatchObject({ price: '1.9', liquidity: 'maker' });
  });
});

describe('market data channels', () => {
  test('a book is a snapshot and then deltas that lead to the book of the query', async () => {
    const stream = await TestStream.open(simulator.wsUrl);
    streams.push(stream);
    stream.send({ op: 'subscribe', channel: 'book', symbol: 'XRP-PERP' });
    stream.send({ op: 'subscribe', channel: 'trades', symbol: 'XRP-PERP' });
    stream.send({ op: 'subscribe', channel: 'ticker', symbol: 'XRP-PERP' });
    await stream.caughtUp();
    await client.place({ price: '1.9' });
    await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: '30000' });
    await client.post('/__sim/prices', { symbol: 'XRP-PERP', price: '1.95' });
    await stream.caughtUp();
    const [snapshot, ...deltas] = stream.messages('book');
    expect(snapshot?.['type']).toBe('snapshot');
    expectGapFree(stream.messages('book'));
    const book = { bids: new Map<string, string>(), asks: new Map<string, string>() };
    for (const message of [snapshot, ...deltas]) {
      for (const side of ['bids', 'asks'] as const) {
        for (const [price, quantity] of message?.[side] as [string, string][]) {
          if (quantity === '0') book[side].delete(price);
          else book[side].set(price, quantity);
        }
      }
    }
    const { body } = await client.get('/orderbook?symbol=XRP-PERP&depth=1000');
    expect({ bids: [...book.bids].sort(), asks: [...book.asks].sort() }).toEqual({ bids: [...(body['bids'] as [])].sort(), asks: [...(body['asks'] as [])].sort() });
    expect(stream.messages('trades').length).toBeGreaterThan(1);
    expect(stream.messages('ticker').at(-1)).toMatchObject({ symbol: 'XRP-PERP', mark: '1.95' });
  });
});

describe('stream faults', () => {
  test('dropped messages leave a gap that the next one shows', async () => {
    const heard = await accountStream();
    await client.fault({ kind: 'dropMessages', count: 2 });
    await client.place();
    await client.place();
    await heard.caughtUp();
    expect(sequences(heard)).toEqual([3, 4].map((number) => number + (firstSequence(heard) as number)));
  });

  test('duplicated and reordered messages', async () => {
    const heard = await accountStream();
    await client.fault({ kind: 'duplicateMessages', count: 1 });
    await client.place();
    await client.fault({ kind: 'reorderMessages', count: 2 });
    await client.place();
    await heard.caughtUp();
    const base = firstSequence(heard) as number;
    expect(sequences(heard)).toEqual([1, 1, 2, 4, 3].map((number) => base + number));
  });

  test('a stalled stream swallows frames but answers pings; disarmed, it goes on', async () => {
    const heard = await accountStream();
    const id = await client.fault({ kind: 'stallStream', durationMs: 600_000 });
    await client.place();
    await heard.caughtUp();
    expect(heard.messages('account')).toEqual([]);
    await client.call('DELETE', `/__sim/faults/${id}`);
    await client.place();
    await heard.caughtUp();
    expect(heard.messages('account').length).toBeGreaterThan(0);
  });

  test('closing cuts the connections and refuses new ones for the time given', async () => {
    const heard = await accountStream();
    await client.fault({ kind: 'closeStream', durationMs: 600_000 });
    await heard.until(() => heard.closeCode !== null);
    await expect(TestStream.open(simulator.wsUrl)).rejects.toThrow('503');
    expect((await client.place()).ok).toBe(true);
  });

  test('a revoked key is told, cut off and refused until the fault is disarmed', async () => {
    const heard = await accountStream();
    const id = await client.fault({ kind: 'revokeKey', key: client.key });
    await heard.until(() => heard.closeCode !== null);
    expect(kinds(heard)).toContain('keyRevoked');
    expect(await client.get('/balances')).toMatchObject({ status: 401, body: { error: { code: 'KEY_REVOKED' } } });
    await client.call('DELETE', `/__sim/faults/${id}`);
    expect((await client.get('/balances')).status).toBe(200);
  });
});

/** The sequence the subscription was acknowledged with. */
function firstSequence(stream: TestStream): unknown {
  return stream.heard.find((message) => message['op'] === 'subscribed')?.['sequence'];
}
