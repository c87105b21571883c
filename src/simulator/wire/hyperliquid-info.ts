/** POST /info of the simulated Hyperliquid: every read, by its `type`. */
import { PaperError } from '../errors';
import { historyStart } from '../fault-effects';
import { chargedRates } from '../funding';
import type { Order } from '../order';
import type { PaperVenue } from '../paper-venue';
import { readFields } from './fields';
import { isParked } from './hyperliquid-groups';
import type { HyperliquidUsers } from './hyperliquid-users';
import { readAddress } from './hyperliquid-users';
import { assetByCoin, DEXES, metaView, perpDexsView, SPOT_META } from './hyperliquid-universe';
import * as views from './hyperliquid-views';

/** Most entries of one answer, as the venue documents. */
export const MAX_FILLS = 2_000;
/** Only so many newest fills can be read at all. */
export const MAX_FILL_HISTORY = 10_000;
const MAX_HISTORY = 2_000;
const MAX_CANDLES = 5_000;
const MAX_FUNDINGS = 500;
const TRADES_SHOWN = 10;

const INTERVAL_MS: Readonly<Record<string, number>> = { '1m': 60_000, '3m': 180_000, '5m': 300_000, '15m': 900_000, '30m': 1_800_000, '1h': 3_600_000, '2h': 7_200_000, '4h': 14_400_000, '8h': 28_800_000, '12h': 43_200_000, '1d': 86_400_000, '3d': 259_200_000, '1w': 604_800_000 };

export interface InfoContext {
  readonly venue: PaperVenue;
  readonly users: HyperliquidUsers;
  readonly notes: views.FillNotes;
}

type Request = Readonly<Record<string, unknown>>;
type Reader = (context: InfoContext, request: Request) => unknown;

const LIGHT = new Set(['l2Book', 'allMids', 'clearinghouseState', 'orderStatus', 'spotClearinghouseState', 'exchangeStatus']);

/** What a read costs of the weight of a minute. */
export function infoWeight(type: string): number {
  return LIGHT.has(type) ? 2 : type === 'userRole' ? 60 : 20;
}

/** Throws BAD_REQUEST (422 on the wire) on a request the venue could not read. */
export function readInfo(context: InfoContext, body: unknown): unknown {
  const request = Object.fromEntries(Object.entries(typeof body === 'object' && body !== null ? body : {}));
  const reader = READERS[String(request['type'])];
  if (reader === undefined || !Object.hasOwn(READERS, String(request['type']))) throw malformed();
  return reader(context, request);
}

export const MALFORMED = 'Failed to deserialize the JSON body into the target type';

/** What the venue answers with status 422. */
export function malformed(): PaperError {
  return new PaperError('BAD_REQUEST', MALFORMED);
}

const READERS: Readonly<Record<string, Reader>> = {
  meta: (_context, request) => metaView(dexOf(request)),
  metaAndAssetCtxs: ({ venue }, request) => [metaView(dexOf(request)), views.assetContexts(venue, dexOf(request))],
  perpDexs: () => perpDexsView(),
  spotMeta: () => SPOT_META,
  spotMetaAndAssetCtxs: () => [SPOT_META, []],
  allMids: ({ venue }, request) => views.midsView(venue, dexOf(request)),
  exchangeStatus: ({ venue }) => ({ time: venue.clock.now(), specialStatuses: null }),
  l2Book: ({ venue }, request) => views.bookView(venue.exchange.state, coinOf(request), venue.clock.now()),
  recentTrades: ({ venue }, request) => venue.marketData.tape(coinOf(request)).recentTrades(TRADES_SHOWN * 10).map(views.tradeView).reverse(),
  candleSnapshot: ({ venue }, request) => {
    const asked = readFields(request['req']);
    const coin = coinOf({ coin: asked.text('coin') });
    const interval = asked.text('interval');
    const intervalMs = INTERVAL_MS[interval];
    if (intervalMs === undefined) throw malformed();
    const candles = venue.marketData.tape(coin).between(intervalMs, asked.integer('startTime', 0), asked.optionalInteger('endTime', 0) ?? venue.clock.now() + 1);
    return candles.slice(-MAX_CANDLES).map((candle) => candleView(coin, interval, intervalMs, candle));
  },
  fundingHistory: ({ venue }, request) => {
    const coin = coinOf(request);
    const to = timeOf(request, 'endTime', venue.clock.now());
    return chargedRates(venue.exchange.state.venue(coin).funding, timeOf(request, 'startTime'), Math.min(to, venue.clock.now()))
      .slice(0, MAX_FUNDINGS)
      .map(({ time, rate }) => ({ coin, fundingRate: views.wireText(rate), premium: '0.0', time }));
  },
  predictedFundings: ({ venue }) =>
    [...venue.exchange.state.venues.values()].map(({ market, funding }) => [market.symbol, [['HlPerp', { fundingRate: views.wireText(funding.rate), nextFundingTime: funding.nextAt ?? 0, fundingIntervalHours: funding.intervalMs / 3_600_000 }]]]),
  userFunding: ({ venue, users }, request) =>
    users
      .accountsOf(userOf(request))
      .flatMap((account) => account.fundingPayments)
      .filter(({ time }) => time >= timeOf(request, 'startTime') && time <= timeOf(request, 'endTime', venue.clock.now()))
      .map((payment) => ({
        time: payment.time,
        hash: `0x${BigInt(payment.index).toString(16).padStart(64, '0')}`,
        delta: { type: 'funding', coin: payment.symbol, usdc: views.wireText(payment.amount), szi: views.wireText(payment.quantity), fundingRate: views.wireText(payment.rate), nSamples: null },
      })),
  userNonFundingLedgerUpdates: ({ venue, users }, request) =>
    users
      .ledgerOf(userOf(request))
      .filter(({ time }) => time >= timeOf(request, 'startTime') && time <= timeOf(request, 'endTime', venue.clock.now()))
      .slice(0, MAX_HISTORY)
      .map(({ time, delta }, index) => ({ time, hash: `0x${BigInt(index + 1).toString(16).padStart(64, '0')}`, delta })),
  clearinghouseState: ({ venue, users }, request) => views.clearinghouseView(venue, users.account(userOf(request), dexOf(request)), venue.clock.now()),
  spotClearinghouseState: ({ users }, request) => {
    const wallet = users.account(userOf(request), 'spot');
    const held = SPOT_META.tokens.filter(({ name }) => name === 'USDC' || wallet?.balance(name).isZero() === false);
    return { balances: held.map(({ name, index }) => ({ coin: name, token: index, total: views.wireText(wallet?.balance(name) ?? views.ZERO), hold: '0.0', entryNtl: '0.0' })) };
  },
  subAccounts: ({ users }, request) => {
    const user = userOf(request);
    const own = [...users.vaultLeaders].filter(([, leader]) => leader === user);
    return own.length === 0 ? null : own.map(([subAccountUser]) => ({ name: subAccountUser.slice(0, 10), subAccountUser, master: user }));
  },
  openOrders: (context, request) => open(context, request).filter(isAlive).map(views.orderView),
  frontendOpenOrders: (context, request) => {
    const listed = open(context, request);
    return listed.filter(isAlive).map((order) => ({ ...views.frontendOrderView(order), children: listed.filter(({ waitsFor }) => waitsFor === order.orderId).map(views.frontendOrderView) }));
  },
  orderStatus: (context, request) => orderStatus(context, request),
  historicalOrders: ({ venue, users }, request) =>
    users
      .accountsOf(userOf(request))
      .flatMap((account) => [...account.closed, ...account.open].filter((order) => !venue.hidden(order) && isAlive(order) && order.updatedAt >= historyStart(venue, account.name)))
      .sort((a, b) => b.updatedAt - a.updatedAt || Number(b.orderId) - Number(a.orderId))
      .slice(0, MAX_HISTORY)
      .map((order) => ({ order: views.frontendOrderView(order), status: views.statusOf(order), statusTimestamp: order.updatedAt })),
  userFills: (context, request) => fills(context, request, -Infinity, Infinity).slice(-MAX_FILLS).reverse(),
  userFillsByTime: (context, request) => fills(context, request, timeOf(request, 'startTime'), timeOf(request, 'endTime', Infinity)).slice(0, MAX_FILLS),
  userRateLimit: ({ users }, request) => users.rateLimit(userOf(request)),
  userFees: () => ({
    dailyUserVlm: [],
    feeSchedule: { cross: '0.00045', add: '0.00015', spotCross: '0.0007', spotAdd: '0.0004', tiers: { vip: [], mm: [] }, referralDiscount: '0.04', stakingDiscountTiers: [] },
    userCrossRate: '0.00045', userAddRate: '0.00015', userSpotCrossRate: '0.0007', userSpotAddRate: '0.0004', activeReferralDiscount: '0.0',
    trial: null, feeTrialEscrow: '0.0', nextTrialAvailableTimestamp: null, stakingLink: null, activeStakingDiscount: { bpsOfMaxSupply: '0.0', discount: '0.0' },
  }),
  userRole: ({ users }, request) => {
    const address = userOf(request);
    const leader = users.vaultLeaders.get(address);
    if (leader !== undefined) return { role: 'subAccount', data: { master: leader } };
    if (users.exists(address)) return { role: 'user' };
    const user = users.userOf(address);
    return user === null ? { role: 'missing' } : { role: 'agent', data: { user } };
  },
  extraAgents: () => [],
};

function candleView(coin: string, interval: string, intervalMs: number, candle: { time: number; open: views.Price; high: views.Price; low: views.Price; close: views.Price; volume: views.Price }): Record<string, unknown> {
  const { time, open: first, high, low, close, volume } = candle;
  return { t: time, T: time + intervalMs - 1, s: coin, i: interval, o: views.wireText(first), c: views.wireText(close), h: views.wireText(high), l: views.wireText(low), v: views.wireText(volume), n: 1 };
}

function isAlive(order: Order): boolean {
  return !isParked(order);
}

function open({ venue, users }: InfoContext, request: Request): Order[] {
  const account = users.account(userOf(request), dexOf(request));
  return account === null ? [] : [...account.open].filter((order) => !venue.hidden(order));
}

function orderStatus({ venue, users }: InfoContext, request: Request): unknown {
  const accounts = users.accountsOf(userOf(request));
  const { oid } = request;
  const unknown = { status: 'unknownOid' };
  if (typeof oid === 'string') {
    // Where a client id was used more than once the venue shows the last.
    const found = accounts.flatMap((account) => [...account.orders.values()]).filter((order) => views.cloidOf(order.clientId) === oid.toLowerCase()).at(-1);
    return found === undefined || venue.hidden(found) || isParked(found) ? unknown : statusAnswer(found, views.statusOf(found));
  }
  if (typeof oid !== 'number') throw malformed();
  const named = views.readOid(oid);
  const order = named === null ? undefined : venue.exchange.state.orders.get(named.orderId);
  if (named === null || order === undefined || !accounts.some(({ name }) => name === order.account) || venue.hidden(order) || isParked(order) || named.generation > views.generationOf(order)) return unknown;
  if (named.generation === views.generationOf(order)) return statusAnswer(order, views.statusOf(order));
  return { status: 'order', order: { order: { ...views.frontendOrderView(order), oid }, status: 'canceled', statusTimestamp: order.updatedAt } };
}

function statusAnswer(order: Order, status: string): unknown {
  return { status: 'order', order: { order: views.frontendOrderView(order), status, statusTimestamp: order.updatedAt } };
}

/** Fills of all the user's dexes, oldest first, of the newest that are kept. */
function fills({ venue, users, notes }: InfoContext, request: Request, from: number, to: number): Record<string, unknown>[] {
  const { orders } = venue.exchange.state;
  const all = users.accountsOf(userOf(request)).flatMap((account) => {
    notes.note(account, orders);
    const start = historyStart(venue, account.name);
    return account.fills.filter((fill) => fill.time >= start && !venue.hidden(orders.get(fill.orderId) ?? { hiddenUntil: null }));
  });
  all.sort((a, b) => a.time - b.time || a.index - b.index);
  return all.slice(-MAX_FILL_HISTORY).filter(({ time }) => time >= from && time <= to).map((fill) => notes.view(fill));
}

export function dexOf(request: Request): string {
  const dex = request['dex'] ?? '';
  if (!DEXES.some(({ name }) => name === dex)) throw malformed();
  return dex as string;
}

export function coinOf(request: Request): string {
  const { coin } = request;
  if (typeof coin !== 'string' || assetByCoin(coin) === undefined) throw malformed();
  return coin;
}

function userOf(request: Request): string {
  return readAddress(request['user']);
}

function timeOf(request: Request, name: string, fallback?: number): number {
  const value = request[name] ?? fallback;
  if (typeof value !== 'number') throw malformed();
  return value;
}
