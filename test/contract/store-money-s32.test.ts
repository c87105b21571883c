/** S32: funding and three partial exits, at the paper venue as it really speaks. Profit per fill adds up to the venue's, and the ledger balances. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { AccountLook } from '../../src/activities/account-look';
import type { AccountWatcherPorts } from '../../src/activities/account-ports';
import { AccountWriter } from '../../src/activities/account-writer';
import { systemClock } from '../../src/domain/clock';
import { decimal, sum } from '../../src/domain/decimal';
import type { VenueAccountSession } from '../../src/domain/venue';
import { PaperVenue } from '../../src/venues/paper/venue';
import { openStoreWorld, type StoreWorld } from './store-harness';
import { reading, sending } from './venue-harness';
import { startPaperSimulator, type PaperSimulator } from './venue-paper-harness';

const SYMBOL = 'BTC-PERP';
const FUNDING_PERIOD_MS = 8 * 3_600_000;

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
  const order = { venueClientId: randomUUID(), venueSymbol: SYMBOL, side, type: 'market', timeInForce: 'IOC', quantity, limitPrice: null, postOnly: false, reduceOnly: side === 'sell' } as const;
  const request = session.preparePlace([order], { nonce: null, venueDeadlineMs: (await venue.venueTimeMs(reading())) + 60_000 });
  const { items } = await session.send(request, sending());
  expect(items).toMatchObject([{ kind: 'acknowledged', order: { status: 'filled' } }]);
}

test('S32: funding and three partial exits add up to the venue\'s figures to 1e-8, and the ledger sums to zero', async () => {
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
  const look = new AccountLook(ports, venue, account, session, new AccountWriter(ports, account.id, epoch));
  const price = (to: string): Promise<unknown> => simulator.call('POST', '/__sim/prices', { symbol: SYMBOL, price: to });
  const nextFunding = (): Promise<unknown> => simulator.call('POST', '/__sim/clock', { advanceMs: FUNDING_PERIOD_MS });

  await look.take('resync', reading);
  await simulator.call('POST', '/__sim/funding', { symbol: SYMBOL, rate: '0.000137' });
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
