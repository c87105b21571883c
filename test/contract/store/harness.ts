/** A store on a database of its own, with venues that sign but are never called, and short words for orders and evidence. */
import { createHash, randomUUID } from 'node:crypto';
import { DEFAULT_RISK_LIMITS, type Account, type RiskLimits } from '../../../src/domain/account';
import type { AuditHead } from '../../../src/domain/audit';
import { venueClientId } from '../../../src/domain/client-ids';
import { isoTime, type Clock } from '../../../src/domain/clock';
import { venueViewKey, type Evidence } from '../../../src/domain/evidence';
import type { Market } from '../../../src/domain/market';
import type { OrderIntent } from '../../../src/domain/order';
import type { Venue, VenueAccountSession, VenueCapabilities, VenueFill, VenueOrder } from '../../../src/domain/venue';
import { openStore, type Store, type StoreOptions } from '../../../src/store';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import { migrate } from '../../../src/store/database/migrate';
import { dropDatabase, newDatabase, startPostgres } from '../../support/servers';
import { queried } from '../../support/queried';

export const SYMBOL = 'XRP-PERP';
export const VENUE_SYMBOL = 'XRPUSDT';

/** A clock that tests move; it starts at the real time, so that certificates and logs read sensibly. */
export class TestClock implements Clock {
  constructor(public ms = Date.now()) {}
  nowMs(): number {
    return this.ms;
  }
}

const CAPABILITIES: VenueCapabilities = {
  resendSafety: 'uniqueClientId', absenceFinalAfterMs: 1_000, strictNonces: false, nonceRule: 'none', acknowledgement: 'sync', clientIds: true, maxBatchSize: 20,
  orderTypes: ['market', 'limit'], timesInForce: ['GTC', 'IOC', 'FOK'], postOnly: true, reduceOnly: true, amend: 'inPlace', deadManSwitch: true, fullFillHistory: true,
  budget: { capacity: 100, refillPerSecond: 10, reserve: 0.2 },
};

/** Signs by writing down what it was given. Everything that would touch a network fails the test that calls it. */
export function signingVenue(name: string, changes: Partial<VenueCapabilities> = {}, clock: Clock = { nowMs: () => Date.now() }): Venue {
  const untouched = (): never => {
    throw new Error('the store must not call a venue');
  };
  const session = (credentials: Readonly<Record<string, string>>): VenueAccountSession => ({
    preparePlace: (orders, { nonce, venueDeadlineMs }) => {
      if (orders.some((order) => order.venueSymbol === 'UNSIGNABLE')) throw new Error('this market cannot be signed');
      return { kind: 'place', bytes: JSON.stringify({ orders, signature: `secret of ${credentials['key']}` }), nonce, venueDeadlineMs };
    },
    prepareAmend: (amendment, { nonce, venueDeadlineMs }) => ({ kind: 'amend', bytes: JSON.stringify(amendment), nonce, venueDeadlineMs }),
    prepareCancel: (orders, { nonce, venueDeadlineMs }) => ({ kind: 'cancel', bytes: JSON.stringify(orders.map((order) => order.venueClientId)), nonce, venueDeadlineMs }),
    send: untouched, findOrder: untouched, openOrders: untouched, closedOrders: untouched, fillsSince: untouched, positions: untouched, balances: untouched, setLeverage: untouched, setDeadManSwitch: untouched, streamPrivate: untouched,
  });
  return {
    name, capabilities: { ...CAPABILITIES, ...changes }, session, venueTimeMs: async () => clock.nowMs(), close: async () => undefined,
    markets: untouched, tickers: untouched, orderBook: untouched, trades: untouched, candles: untouched, funding: untouched, streamPublic: untouched,
  };
}

export function market(venue: string, symbol = SYMBOL, venueSymbol = VENUE_SYMBOL): Market {
  return {
    venue, symbol, venueSymbol, assetClass: 'crypto', base: 'XRP', quote: 'USDT', kind: 'perpetual', tickRule: { kind: 'step', step: '0.0001' }, lot: '0.1', minQuantity: '0.1', minNotional: '5',
    maxLeverage: '25', makerFeeRate: '0.0002', takerFeeRate: '0.0005', sessionHours: null, status: 'open',
  };
}

export interface StoreWorld {
  readonly store: Store;
  readonly clock: TestClock;
  readonly databaseUrl: string;
  readonly serverUrl: string;
  readonly marks: Map<string, string>;
  /** Best prices; none unless a test says so. */
  readonly quotes: Map<string, { bid: string | null; ask: string | null }>;
  /** Heads of audit chains, as they were told after their commits. */
  readonly heads: readonly AuditHead[];
  readonly userId: string;
  /** Another store over the same database: another process. */
  openAnother(changes?: Partial<StoreOptions>): Promise<Store>;
  newAccount(options?: { readonly balance?: string | null; readonly limits?: Partial<RiskLimits>; readonly venue?: string; readonly signerId?: string; readonly userId?: string }): Promise<Account>;
  close(): Promise<void>;
}

/** The run's shared PostgreSQL, or one of our own; then a fresh, migrated database. */
export async function openStoreWorld(venues: readonly Venue[] = []): Promise<StoreWorld> {
  const sharedUrl = process.env['SUREFILL_TEST_DATABASE_URL'];
  const ownServer = sharedUrl === undefined ? await startPostgres() : null;
  const serverUrl = ownServer?.url ?? sharedUrl ?? '';
  const databaseUrl = await newDatabase(serverUrl, 'store');
  await migrate(databaseUrl);
  const clock = new TestClock();
  const marks = new Map([[SYMBOL, '2']]);
  const heads: AuditHead[] = [];
  const quotes = new Map<string, { bid: string | null; ask: string | null }>();
  const all = new Map([signingVenue('paper', {}, clock), ...venues].map((venue) => [venue.name, venue]));
  const keyProvider = environmentKeyProvider([createHash('sha256').update('a key of the tests').digest()]);
  const options: StoreOptions = {
    databaseUrl, poolSize: 6, statementTimeoutMs: 10_000, lockTimeoutMs: 500, keyProvider, clock, venues: all, markOf: (_venue, symbol) => marks.get(symbol) ?? null, quoteOf: (_venue, symbol) => quotes.get(symbol) ?? null,
    log: { info: () => undefined, warn: () => undefined }, onAuditHead: (head) => heads.push(head),
  };
  const store = await openStore(options);
  await store.states.beat(null); // as the store guard does before anything is recorded
  const opened = [store];
  await store.markets.upsert([...all.keys()].map((venue) => market(venue)));
  const { user } = await store.users.ensureOwner();
  const writer = await store.watching.takeEpoch('setup', 'test');
  return {
    store, clock, databaseUrl, serverUrl, marks, quotes, heads, userId: user.id,
    openAnother: async (changes = {}) => {
      const another = await openStore({ ...options, ...changes });
      opened.push(another);
      return another;
    },
    newAccount: async ({ balance = '10000', limits = {}, venue = 'paper', signerId, userId = user.id } = {}) => {
      const id = randomUUID();
      const account = await store.accounts.create({ id, userId, name: `account-${id}`, venue, signerId: signerId ?? id, credential: { key: `key-of-${id}` }, limits: { ...DEFAULT_RISK_LIMITS, priceBandPercent: null, ...limits } });
      if (balance !== null) await store.watching.putBalances(writer, id, [{ asset: 'USDT', total: balance, available: balance, locked: '0' }], clock.nowMs());
      return account;
    },
    close: async () => {
      await Promise.all(opened.map((each) => each.close()));
      await dropDatabase(serverUrl, databaseUrl);
      await ownServer?.stop();
    },
  };
}

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A limit buy of 10 XRP at 2, unless told otherwise. */
export function intentFor(account: Account, changes: Partial<OrderIntent> = {}): OrderIntent {
  const clientOrderId = changes.clientOrderId ?? randomUUID();
  return {
    id: randomUUID(), userId: account.userId, accountId: account.id, signerId: account.signerId, clientOrderId, venueClientId: venueClientId({ accountId: account.id, clientOrderId, leg: 0, child: 0, revision: 0 }, sha256Hex),
    venue: account.venue, symbol: SYMBOL, venueSymbol: VENUE_SYMBOL, side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '10', limitPrice: '2', postOnly: false, reduceOnly: false, origin: 'API',
    placeBefore: isoTime(Date.now() + 3_600_000), idempotency: null, ...changes,
  };
}

export function viewOf(intent: OrderIntent, changes: Partial<VenueOrder> = {}): VenueOrder {
  return {
    venueOrderId: `v-${intent.venueClientId}`, venueClientId: intent.venueClientId, venueSymbol: intent.venueSymbol, side: intent.side, type: intent.type, timeInForce: intent.timeInForce, quantity: intent.quantity,
    limitPrice: intent.limitPrice, filledQuantity: '0', avgPrice: null, status: 'open', reasonCode: null, postOnly: intent.postOnly, reduceOnly: intent.reduceOnly, revision: 1, updatedAtMs: Date.now(), ...changes,
  };
}

export function seen(view: VenueOrder, atMs = Date.now()): Evidence {
  return { kind: 'venueView', key: venueViewKey(view), order: view, source: 'answer', at: isoTime(atMs) };
}

export function fillOf(intent: OrderIntent, changes: Partial<VenueFill> = {}): VenueFill {
  return {
    venueFillId: randomUUID(), venueOrderId: `v-${intent.venueClientId}`, venueClientId: intent.venueClientId, venueSymbol: intent.venueSymbol, side: intent.side, price: intent.limitPrice ?? '2', quantity: intent.quantity,
    fee: '0.01', feeAsset: 'USDT', liquidity: 'taker', realizedPnl: null, atMs: Date.now(), ...changes,
  };
}

export const OWNER = { ownerWorkflowId: 'order/test/1', sendTtlMs: 1_500 } as const;

/** Every row of every table as text, bytes in hexadecimal: what must be nowhere is looked for in it. */
export async function wholeDatabase(world: Pick<StoreWorld, 'databaseUrl'>): Promise<string> {
  const tables = await queried<{ name: string }>(world.databaseUrl, "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'");
  const rows: string[] = [];
  for (const { name } of tables) rows.push(...(await queried<{ text: string }>(world.databaseUrl, `SELECT t::text AS text FROM ${name} t`)).map(({ text }) => text));
  return rows.join('\n');
}

/** As after the master key was lost, or the row damaged: nobody can open it any more. */
export async function spoilKey(world: Pick<StoreWorld, 'databaseUrl'>, accountId: string): Promise<void> {
  await queried(world.databaseUrl, "UPDATE credentials SET data = decode('00', 'hex') WHERE account_id = $1", accountId);
}
