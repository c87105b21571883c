/** What the private stream of a venue's adapter must tell, and when it must say that it may have missed something. */
import assert from 'node:assert/strict';
import type { PrivateMessage } from '../../../src/domain/venue';
import { VenueRefused } from '../../../src/domain/venue-errors';
import { allFills } from './checks-account';
import { acknowledged } from './checks-orders';
import { errorOf } from './checks-silence';
import type { ContractCheck } from './contract';
import { comparable, deadline, hasQuirk, Heard, marketOrderFor, orderFor, place, reading, sending, type ContractAccount, type VenueHarness } from './harness';

type Told<K extends PrivateMessage['kind']> = Extract<PrivateMessage, { kind: K }>;

async function listening(harness: VenueHarness, run: (account: ContractAccount, heard: Heard<PrivateMessage>) => Promise<void>): Promise<void> {
  const account = await harness.account();
  const heard = new Heard<PrivateMessage>(harness);
  const stream = account.session.streamPrivate(heard.take);
  try {
    await stream.ready;
    await run(account, heard);
  } finally {
    stream.close();
  }
}

export const STREAM_CHECKS: readonly ContractCheck[] = [
  {
    name: 'the private stream brings orders, fills, positions and balances as the queries show them',
    run: (harness) =>
      listening(harness, async ({ session }, heard) => {
        const order = acknowledged(await place(harness, session, [marketOrderFor(harness)]));
        const told = await heard.until('the order', (message): message is Told<'order'> => message.kind === 'order' && message.order.status === 'filled');
        assert.deepEqual(comparable(harness, told.order), comparable(harness, order));
        const fill = await heard.until('the fill', (message): message is Told<'fill'> => message.kind === 'fill');
        assert.deepEqual([fill.fill], await allFills(session, 0));
        assert.ok(fill.atMs > 0);
        const position = await heard.until('the position', (message): message is Told<'position'> => message.kind === 'position');
        assert.deepEqual([position.position.venueSymbol, position.position.side], [harness.symbol, 'long']);
        const [balance] = await session.balances(reading());
        const toldBalance = await heard.until('the balance', (message): message is Told<'balance'> => message.kind === 'balance' && message.balance.total === balance?.total);
        assert.equal(toldBalance.balance.asset, balance?.asset);
      }),
  },
  {
    name: 'a fill of a resting order and its cancel come on the stream',
    run: (harness) =>
      listening(harness, async ({ session }, heard) => {
        const resting = orderFor(harness, { side: 'sell', limitPrice: String(Number(harness.price) + 500) });
        acknowledged(await place(harness, session, [resting]));
        await harness.control.movePrice(harness.symbol, String(Number(harness.price) + 1_500));
        const fill = await heard.until('the fill', (message): message is Told<'fill'> => message.kind === 'fill' && message.fill.venueClientId === resting.venueClientId);
        assert.deepEqual([fill.fill.side, fill.fill.liquidity, fill.fill.quantity], ['sell', 'maker', harness.quantity]);
        const other = acknowledged(await place(harness, session, [orderFor(harness)]));
        const reference = { venueClientId: other.venueClientId ?? '', venueOrderId: other.venueOrderId, venueSymbol: other.venueSymbol };
        await session.send(session.prepareCancel([reference], await deadline(harness)), sending({ priority: 'exit' }));
        await heard.until('the cancel', (message) => message.kind === 'order' && message.order.venueOrderId === other.venueOrderId && message.order.status === 'canceled');
      }),
  },
  {
    name: 'closing a position is told as flat',
    run: (harness) =>
      listening(harness, async ({ session }, heard) => {
        await place(harness, session, [marketOrderFor(harness)]);
        await place(harness, session, [marketOrderFor(harness, { side: 'sell', reduceOnly: true })]);
        await heard.until('the flat position', (message) => message.kind === 'position' && message.position.side === 'flat' && message.position.venueSymbol === harness.symbol);
      }),
  },
  {
    name: 'nothing is told as a gap while nothing is missing',
    run: (harness) =>
      listening(harness, async ({ session }, heard) => {
        await harness.control.movePrice(harness.symbol, harness.price);
        for (const side of ['buy', 'sell'] as const) await place(harness, session, [marketOrderFor(harness, { side })]);
        await heard.until('the last fill', (message) => message.kind === 'fill' && message.fill.side === 'sell');
        assert.deepEqual(heard.messages.filter(({ kind }) => kind === 'gap'), []);
      }),
  },
  {
    name: 'a lost message of the private stream is told as a gap',
    run: (harness) =>
      hasQuirk(harness, 'unsequencedStreams') ? Promise.resolve() : listening(harness, async ({ session, name }, heard) => {
        await harness.control.dropStreamMessages(name, 1);
        const order = acknowledged(await place(harness, session, [orderFor(harness)]));
        await place(harness, session, [orderFor(harness)]);
        await heard.until('the gap', ({ kind }) => kind === 'gap');
        assert.deepEqual(heard.messages.filter((message) => message.kind === 'order' && message.order.venueOrderId === order.venueOrderId), []);
      }),
  },
  {
    name: 'a message that comes twice loses nothing and is no gap',
    run: (harness) =>
      listening(harness, async ({ session, name }, heard) => {
        await harness.control.duplicateStreamMessages(name, 2);
        await place(harness, session, [marketOrderFor(harness)]);
        await place(harness, session, [marketOrderFor(harness, { side: 'sell' })]);
        await heard.until('the last fill', (message) => message.kind === 'fill' && message.fill.side === 'sell');
        assert.deepEqual(heard.messages.filter(({ kind }) => kind === 'gap'), []);
      }),
  },
  {
    name: 'after a lost connection the stream comes back, tells a gap first, and brings what follows',
    run: (harness) =>
      listening(harness, async ({ session, name }, heard) => {
        await harness.control.closeStreams(name);
        await heard.until('the gap', ({ kind }) => kind === 'gap');
        assert.equal(heard.messages[0]?.kind, 'gap');
        const order = acknowledged(await place(harness, session, [orderFor(harness)]));
        await heard.until('the order', (message) => message.kind === 'order' && message.order.venueOrderId === order.venueOrderId);
      }),
  },
  {
    name: 'a revoked key is told on the stream, and a new stream is refused',
    run: (harness) =>
      listening(harness, async ({ session, key }, heard) => {
        await harness.control.revokeKey(key);
        await heard.until('the revocation', ({ kind }) => kind === 'keyRevoked');
        const refused = new Heard<PrivateMessage>(harness);
        const error = await errorOf(session.streamPrivate(refused.take).ready);
        assert.ok(error instanceof VenueRefused && error.code === 'unauthorized', String(error));
        await refused.until('the refusal', ({ kind }) => kind === 'keyRevoked');
        assert.ok(!error.message.includes(key));
      }),
  },
  {
    name: 'a closed stream tells nothing more',
    run: async (harness) => {
      const { session } = await harness.account();
      const [closed, open] = [new Heard<PrivateMessage>(harness), new Heard<PrivateMessage>(harness)];
      const [first, second] = [session.streamPrivate(closed.take), session.streamPrivate(open.take)];
      try {
        await Promise.all([first.ready, second.ready]);
        first.close();
        await place(harness, session, [marketOrderFor(harness)]);
        await open.until('the fill', ({ kind }) => kind === 'fill');
        assert.deepEqual(closed.messages, []);
      } finally {
        second.close();
      }
    },
  },
];
