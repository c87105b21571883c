/** Hyperliquid under contract where nobody commands it: the testnet itself, or a simulator that is only spoken to as a venue. */
import { addressOf } from '../../src/venues/ecdsa';
import { systemClock } from '../../src/domain/clock';
import type { Venue, VenueAccountSession } from '../../src/domain/venue';
import { HyperliquidVenue } from '../../src/venues/hyperliquid/venue';
import { marketOrderFor, place, reading, sending, deadline, type VenueControl, type VenueHarness, type VenueQuirk } from '../contract/venues/harness';
import type { LiveAccess } from './access';

/** What a check asked for is in nobody's hand at a live venue. */
export class BeyondControl extends Error {}

const SYMBOL = 'BTC';
/** About a thousand dollars of margin at twenty times: what the testnet's faucet gives is enough. */
const QUANTITY = '0.0123';
/** Prices are round, so that every fraction of them a check makes is valid. */
const ROUND_TO = 1_000;
/** A message crosses the world here. */
const HEAR_WITHIN_MS = 20_000;
const QUIRKS: ReadonlySet<VenueQuirk> = new Set<VenueQuirk>(['terseViews', 'reusableClientIds', 'replacingAmends', 'unsequencedStreams', 'silentTruncation', 'vagueCancels']);

interface HistoricalOrder {
  readonly order: { readonly coin: string; readonly origSz: string; readonly limitPx: string; readonly cloid?: string | null; readonly oid: number; readonly timestamp: number };
  readonly status: string;
}

function beyond(what: string): () => Promise<never> {
  return () => Promise.reject(new BeyondControl(`only a simulator can ${what}`));
}

/**
 * Trades the account of `access` and leaves it without orders and positions. Throws VenueRefused where its agent wallet is not
 * approved. Checks that need a hand on the venue, or a second account, end in BeyondControl.
 */
export async function liveHarness({ agentKey, address, httpUrl, wsUrl }: LiveAccess): Promise<VenueHarness> {
  const opened: Venue[] = [];
  const freshVenue = (): HyperliquidVenue => {
    const venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl, wsUrl, options: { network: 'testnet' }, clock: systemClock, pingEveryMs: 1_000 });
    opened.push(venue);
    return venue;
  };
  const prepared = new Set<Venue>();
  const ready = async (venue: Venue): Promise<void> => {
    if (!prepared.has(venue)) await venue.prepare?.(reading());
    prepared.add(venue);
  };
  const venue = freshVenue();
  await ready(venue);
  const session = venue.session({ agentKey, address });
  try {
    await session.checkCredentials?.(reading());
  } catch (error) {
    // Nobody else can close it, and its stream would keep the process from ending.
    await venue.close();
    throw error;
  }
  let price = await roundPrice(venue);
  let sinceMs = await venue.venueTimeMs(reading());
  let accounts = 0;

  const accepted: VenueControl['accepted'] = async () => {
    const response = await fetch(new URL('/info', httpUrl), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ type: 'historicalOrders', user: address }) });
    if (!response.ok) throw new Error(`historicalOrders answered ${response.status}`);
    const history = (await response.json()) as HistoricalOrder[];
    const orders = history.filter(({ order, status }) => order.timestamp >= sinceMs && !status.endsWith('Rejected')).map(({ order }) => order);
    return [...new Map(orders.map((order) => [order.cloid ?? '', order])).values()]
      .sort((a, b) => a.oid - b.oid)
      .map(({ coin, origSz, limitPx, cloid }) => ({ clientId: (cloid ?? '').replace(/^0x/, ''), symbol: coin, quantity: origSz, price: limitPx.replace(/\.0$/, '') }));
  };

  const harness: VenueHarness = {
    quirks: QUIRKS,
    venue,
    control: {
      movePrice: beyond('move the price'), loseAnswer: beyond('lose an answer'), failAfterAccept: beyond('fail after it accepted'), holdAnswer: beyond('hold an answer'), rateLimit: beyond('limit at will'),
      whileUnreachable: beyond('be unreachable'), received: beyond('count what it received'), dropStreamMessages: beyond('drop messages'), duplicateStreamMessages: beyond('say things twice'), closeStreams: beyond('close streams'),
      dropBookMessage: beyond('drop a book'), revokeKey: beyond('revoke a key'), advanceClock: beyond('move its clock'), truncateHistory: beyond('forget its history'),
      accepted,
      clear: () => Promise.resolve(),
    },
    symbol: SYMBOL,
    get price() {
      return price;
    },
    quantity: QUANTITY,
    hearWithinMs: HEAR_WITHIN_MS,
    freshVenue,
    account: async (of = venue) => {
      accounts += 1;
      if (accounts > 1) throw new BeyondControl('there is one account');
      await ready(of);
      return { name: address, key: agentKey, session: sinceNow(of.session({ agentKey, address })) };
    },
    reset: async () => {
      accounts = 0;
      await flatten();
      price = await roundPrice(venue);
      sinceMs = Math.floor(await venue.venueTimeMs(reading()));
    },
    close: async () => {
      await Promise.all(opened.map((each) => each.close()));
    },
  };
  await harness.reset();
  return harness;

  /** A check expects an account without a past: what was before it is not asked for. */
  function sinceNow(whole: VenueAccountSession): VenueAccountSession {
    return new Proxy(whole, {
      get: (target, name) => {
        if (name === 'closedOrders') return (fromMs: number, options: Parameters<VenueAccountSession['closedOrders']>[1]) => target.closedOrders(Math.max(fromMs, sinceMs), options);
        if (name === 'fillsSince') return (fromMs: number, cursor: string | null, options: Parameters<VenueAccountSession['fillsSince']>[2]) => target.fillsSince(Math.max(fromMs, sinceMs), cursor, options);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** No order and no position is left of what a check made. */
  async function flatten(): Promise<void> {
    for (const order of await session.openOrders(reading())) {
      await session.send(session.prepareCancel([{ venueClientId: order.venueClientId ?? '', venueOrderId: order.venueOrderId, venueSymbol: order.venueSymbol }], await deadline(harness)), sending({ priority: 'exit' }));
    }
    for (const { venueSymbol, side, quantity } of await session.positions(reading())) {
      await place(harness, session, [marketOrderFor(harness, { venueSymbol, side: side === 'long' ? 'sell' : 'buy', quantity, reduceOnly: true })], sending({ priority: 'exit' }));
    }
  }
}

/** The mark as it is, round enough for every check's arithmetic. Throws while the venue tells none. */
async function roundPrice(venue: Venue): Promise<string> {
  const mark = (await venue.tickers(reading())).find(({ symbol }) => symbol === SYMBOL)?.mark ?? null;
  if (mark === null) throw new Error(`no price of ${SYMBOL}`);
  return String(Math.round(Number(mark) / ROUND_TO) * ROUND_TO);
}

/** Whose key it is, for the first line of a run. */
export function agentAddress(agentKey: string): string {
  return addressOf(Buffer.from(agentKey.replace(/^0x/, ''), 'hex'));
}
