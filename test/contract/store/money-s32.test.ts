/** S32: funding and three partial exits, at the paper venue as it really speaks. Profit per fill adds up to the venue's, and the ledger balances; so they do after anything else. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { AccountLook } from '../../../src/activities/account-look';
import type { AccountWatcherPorts } from '../../../src/activities/account-ports';
import { AccountWriter } from '../../../src/activities/account-writer';
import { systemClock } from '../../../src/domain/clock';
import { decimal, sum } from '../../../src/domain/decimal';
import type { VenueAccountSession } from '../../../src/domain/venue';
import { PaperVenue } from '../../../src/venues/paper/venue';
import { openStoreWorld, type StoreWorld } from './harness';
import { reading, sending } from '../venues/harness';
import { startPaperSimulator, type PaperSimulator } from '../venues/paper-harness';

const SYMBOL = 'BTC-PERP';
const FUNDING_PERIOD_MS = 8 * 3_600_000;
/** Longer than the venue's clock is put forward since anybody looked at it. */
const DEADLINE_MS = 60 * FUNDING_PERIOD_MS;

let simulator: PaperSimulator;
let venue: PaperVenue;
let world: StoreWorld;
let sql: Client;
beforeAll(async () => {
  simulator = await startPaperSimulator();
  venue = new PaperVenue({ name: 'paper', httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws'), options: { pageSize: 3 }, clock: systemClock });
  world = await openStoreWorld([venue]);
  await world.store.markets.upsert(await venue.markets(reading()));
  sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await world.close();
  await venue.close();
  await simulator.stop();
});

async function trade(session: VenueAccountSession, side: 'buy' | 'sell', quantity: string): Promise<void> {
  const order = { venueClientId: randomUUID(), venueSymbol: SYMBOL, side, type: 'market', timeInForce: 'IOC', quantity, limitPrice: null, postOnly: false, reduceOnly: false } as const;
  const request = session.preparePlace([order], { nonce: null, venueDeadlineMs: (await venue.venueTimeMs(reading())) + DEADLINE_MS });
  const { items } = await session.send(request, sending());
  expect(items).toMatchObject([{ kind: 'acknowledged', order: { status: 'filled' } }]);
}

/** An account of its own at the venue, and what its watcher does at each look. */
async function watched(heard: (session: VenueAccountSession) => VenueAccountSession = (session) => session): Promise<{ readonly account: Awaited<ReturnType<StoreWorld['newAccount']>>; readonly session: VenueAccountSession; readonly look: AccountLook }> {
  const account = await world.newAccount({ balance: null });
  const session = venue.session(await world.store.accounts.credentials(account.id));
  const ports: AccountWatcherPorts = {
    clock: systemClock, watching: world.store.watching, accounts: world.store.accounts, working: (id) => world.store.orders.working(id),
    judged: { check: async () => null, everyMs: 60_000 },
    onMismatch: () => undefined,
    onTrouble: (_id, error) => {
      throw error;
    },
  };
  const epoch = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
  const look = new AccountLook(ports, venue, account, heard(session), new AccountWriter(ports, account.id, epoch));
  await look.take('resync', reading);
  return { account, session, look };
}
const price = (to: string): Promise<unknown> => simulator.call('POST', '/__sim/prices', { symbol: SYMBOL, price: to });
const fundingRate = (rate: string): Promise<unknown> => simulator.call('POST', '/__sim/funding', { symbol: SYMBOL, rate });
const nextFunding = (): Promise<unknown> => simulator.call('POST', '/__sim/clock', { advanceMs: FUNDING_PERIOD_MS });

test('S32: funding and three partial exits add up to the venue\'s figures to 1e-8, and the ledger sums to zero', async () => {
  const { account, session, look } = await watched();
  await fundingRate('0.000137');
  await price('60000');
  await trade(session, 'buy', '0.3');
  for (const [to, quantity] of [['60777.7', '0.11'], ['59111.1', '0.07'], ['61333.3', '0.12']] as const) {
    await price(to);
    await nextFunding();
    await look.take('audit', reading);
    await trade(session, 'sell', quantity);
  }
  await look.take('audit', reading);

  const query = { userId: account.userId, accountId: account.id, symbol: null, venue: null, cursor: null, limit: 100 };
  const { fills } = await session.fillsSince(0, null, reading()).then(async (first) => {
    const all = [...first.fills];
    for (let next = first.next; next !== null; ) {
      const page = await session.fillsSince(0, next, reading());
      all.push(...page.fills);
      next = page.next;
    }
    return { fills: all };
  });
  const payments = (await session.fundingPayments?.(0, null, reading()))?.payments ?? [];
  const ours = (await world.store.fills.list({ ...query, orderId: null })).fills;
  expect(payments.length).toBe(3);
  expect(ours).toHaveLength(fills.length);
  for (const fill of fills) {
    const own = ours.find((each) => each.venueFillId === fill.venueFillId && each.side === fill.side);
    expect(decimal(own?.realizedPnl ?? 'NaN').minus(decimal(fill.realizedPnl ?? 'NaN')).abs().lessThan('1e-8')).toBe(true);
  }

  const { trades } = await world.store.trades.list({ ...query, status: 'all' });
  expect(trades).toHaveLength(1);
  const [trip] = trades;
  if (trip === undefined) throw new Error('there is no trade');
  expect(trip).toMatchObject({ status: 'closed', side: 'long', quantity: '0.3', exitQuantity: '0.3', carriedIn: false, asset: 'USDC' });
  const near = (ourFigure: string, theirs: ReturnType<typeof decimal>): void => expect([ourFigure, decimal(ourFigure).minus(theirs).abs().lessThan('1e-8')]).toEqual([ourFigure, true]);
  near(trip.realizedPnl, sum(fills.map((fill) => decimal(fill.realizedPnl ?? '0'))));
  near(trip.realizedPnl, decimal(trip.exitPrice ?? '0').minus(decimal(trip.entryPrice)).times(decimal('0.3')));
  near(trip.fees, sum(fills.map((fill) => decimal(fill.fee))));
  near(trip.funding, sum(payments.map((payment) => decimal(payment.amount))));

  const [balance] = (await session.balances(reading())).filter((each) => each.asset === 'USDC');
  near(trip.profit, decimal(balance?.total ?? '0').minus(decimal('100000')));
  expect((await world.store.watching.ledgerCash(account.id)).get('USDC')).toBe(balance?.total);
  const { positions: [position] } = await world.store.positions.list({ userId: account.userId, status: 'closed', accountId: account.id, symbol: SYMBOL, venue: null, cursor: null, limit: 100 });
  expect(position).toMatchObject({ side: 'flat', entryPrice: trip.entryPrice, exitPrice: trip.exitPrice, profit: trip.profit, fees: trip.fees });

  const { rows } = await sql.query('SELECT asset, sum(amount)::float8 AS left FROM ledger_entries WHERE account_id = $1 GROUP BY asset', [account.id]);
  expect(rows).toEqual([{ asset: 'USDC', left: 0 }]);
  const transfers = await sql.query(`SELECT amount::text FROM ledger_entries WHERE account_id = $1 AND book = 'transfers'`, [account.id]);
  expect(transfers.rows).toEqual([{ amount: '-100000' }]);
});

type Step = { readonly kind: 'trade'; readonly side: 'buy' | 'sell'; readonly lots: number } | { readonly kind: 'price'; readonly dollars: number } | { readonly kind: 'funding'; readonly millionths: number } | { readonly kind: 'look' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('trade' as const), side: fc.constantFrom('buy' as const, 'sell' as const), lots: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('price' as const), dollars: fc.integer({ min: 55_000, max: 65_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('funding' as const), millionths: fc.integer({ min: -500, max: 500 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'look' as const }) },
);
/** Each run is some 30 requests to a real venue and a real database; the figures themselves have 1,000 runs in test/unit/domain. */
const RUNS = { numRuns: 8, seed: 20261128, endOnFailure: true } as const;

const tellsAll = (heard?: (session: VenueAccountSession) => VenueAccountSession): fc.IAsyncProperty<[Step[]]> =>
  fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 24 }), async (steps) => {
    const { account, session, look } = await watched(heard);
    for (const each of steps) {
      if (each.kind === 'trade') await trade(session, each.side, decimal(String(each.lots)).times('0.001').toFixed());
      else if (each.kind === 'price') await price(String(each.dollars));
      else if (each.kind === 'look') await look.take('audit', reading);
      else {
        await fundingRate(decimal(String(each.millionths)).times('0.000001').toFixed());
        await nextFunding();
      }
    }
    await look.take('audit', reading);

    const total = (await session.balances(reading())).find(({ asset }) => asset === 'USDC')?.total;
    expect((await world.store.watching.ledgerCash(account.id)).get('USDC')).toBe(total);
    const { rows } = await sql.query('SELECT asset FROM ledger_entries WHERE account_id = $1 GROUP BY asset HAVING sum(amount) <> 0', [account.id]);
    expect(rows).toEqual([]);

    const query = { userId: account.userId, accountId: account.id, symbol: null, venue: null, cursor: null, limit: 100 };
    const held = (await session.positions(reading())).find(({ venueSymbol }) => venueSymbol === SYMBOL);
    const { positions } = await world.store.positions.list({ ...query, status: 'open' });
    expect(positions.map(({ side, quantity }) => [side, quantity])).toEqual(held === undefined ? [] : [[held.side, held.quantity]]);
    const { trades } = await world.store.trades.list({ ...query, status: 'all' });
    expect(trades.filter(({ status }) => status === 'open')).toHaveLength(positions.length);
    const told = sum(trades.map(({ profit }) => decimal(profit)));
    expect([told.toFixed(), told.minus(decimal(total ?? 'NaN').minus('100000')).abs().lessThan('1e-8')]).toEqual([told.toFixed(), true]);
  });

test('whatever is traded, funded and looked at: the ledger sums to zero, its cash is the venue\'s balance to the last digit, and the trades tell all of it', async () => {
  await fc.assert(tellsAll(), RUNS);
}, 120_000);

test('and a watcher that does not hear of funding is found out', async () => {
  const deaf = (session: VenueAccountSession): VenueAccountSession => Object.assign(Object.create(session) as VenueAccountSession, { fundingPayments: async () => ({ payments: [], next: null }) });
  expect((await fc.check(tellsAll(deaf), RUNS)).failed).toBe(true);
}, 120_000);
