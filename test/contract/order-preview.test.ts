/** A preview has no effect: over real PostgreSQL no row of any table changes, no event comes, and the venue is asked nothing. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Account } from '../../src/domain/account';
import { DomainError } from '../../src/domain/errors';
import type { Venue } from '../../src/domain/venue';
import { ApiHarness } from '../api/harness';
import { intentFor, OWNER, openStoreWorld, signingVenue, SYMBOL, TestClock, type StoreWorld } from './store/harness';

const asked: string[] = [];
/** Notes whatever it is asked, by name; nothing of it answers. */
function watchedVenue(name: string): Venue {
  const venue = signingVenue(name, {}, new TestClock());
  return new Proxy(venue, {
    get(target, property, receiver) {
      const value: unknown = Reflect.get(target, property, receiver);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]) => {
        asked.push(String(property));
        return Reflect.apply(value, target, parameters) as unknown;
      };
    },
  });
}

let world: StoreWorld;
let client: Client;
let account: Account;
const api = new ApiHarness();

beforeAll(async () => {
  world = await openStoreWorld([watchedVenue('watched')]);
  client = new Client({ connectionString: world.databaseUrl });
  await client.connect();
  account = await world.newAccount({ venue: 'watched', balance: '10000' });
  await world.store.placing.recordOrders([intentFor(account, { quantity: '100' })], OWNER);
  const away = async (): Promise<never> => {
    throw new DomainError('SERVICE_UNAVAILABLE', 'nothing is started for a preview');
  };
  await api.start((ports) => ({
    ...ports,
    gateway: { parts: (intents) => [intents], place: away, answered: () => undefined, cancel: away, amend: away, amendHeld: away, cancelHeld: away },
    accounts: { ...ports.accounts, get: (id, userId) => world.store.accounts.get(id, userId) },
    markets: { list: (venue) => world.store.markets.list(venue), get: (venue, symbol) => world.store.markets.get(venue, symbol) },
    venues: { ...ports.venues, list: () => [{ name: 'watched', status: 'available', capabilities: signingVenue('watched').capabilities }] },
    prices: { ...ports.prices, mark: () => '2', book: async () => ({ book: { venue: 'watched', symbol: SYMBOL, bids: [['1.99', '500']], asks: [['2.01', '500']], sequence: 3, at: 1 }, ageMs: 1, stale: false }) },
    riskFigures: (accountId, symbol) => world.store.accounts.judgedBy(accountId, [symbol]),
    denials: { record: (intent) => world.store.placing.recordDenied(intent) },
  }));
});
afterAll(async () => {
  await api.close();
  await client.end();
  await world.close();
});

/** Every row of every table, with the version PostgreSQL gives it: an update that changes nothing would show, too. */
async function everything(): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`);
  const contents: string[] = [];
  for (const { name } of tables) contents.push(`${name}: ${JSON.stringify((await client.query(`SELECT xmin, xmax, ctid, t.* FROM "${name}" t ORDER BY ctid`)).rows)}`);
  return contents;
}

test('no row, no event and no request to the venue comes of previews, accepted and denied', async () => {
  const key = api.backend.addUser(account.userId, ['read', 'trade']);
  const before = await everything();
  expect(before.length).toBeGreaterThan(15);
  asked.splice(0);
  const verdicts: string[] = [];
  for (const [side, quantity, limitPrice] of [['buy', '10', '2'], ['buy', '100000', '2'], ['sell', '50', '2.1'], ['buy', '40', null]] as const) {
    const body = { accountId: account.id, clientOrderId: `p-${quantity}`, symbol: SYMBOL, side, type: limitPrice === null ? 'market' : 'limit', quantity, ...(limitPrice === null ? {} : { limitPrice }) };
    const answer = await api.ask('POST', '/api/v1/orders/preview', { key, body, headers: { 'idempotency-key': 'k-1' } });
    expect(answer.status).toBe(200);
    verdicts.push(answer.body.risk.code ?? answer.body.risk.verdict);
    // What was reserved before counts: the judge is the one of the placing transaction.
    if (answer.body.risk.figures.openOrders !== undefined) expect(answer.body.risk.figures.openOrders).toBe(2);
  }
  expect(verdicts).toEqual(['accepted', 'RISK_ORDER_NOTIONAL', 'accepted', 'accepted']);
  expect(await everything()).toEqual(before);
  expect(asked).toEqual([]);
});

test('the comparison finds a row that was touched, and a venue that was asked', async () => {
  const before = await everything();
  await client.query('UPDATE accounts SET name = name WHERE id = $1', [account.id]);
  expect(await everything()).not.toEqual(before);
  asked.splice(0);
  await watchedVenue('x').venueTimeMs({ signal: AbortSignal.timeout(1_000), priority: 'read' });
  expect(asked).toEqual(['venueTimeMs']);
});
