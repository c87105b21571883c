/** Hyperliquid under contract: its simulator as a separate process whose books stand still. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../src/domain/clock';
import type { Venue } from '../../../src/domain/venue';
import { addressOf } from '../../../src/venues/ecdsa';
import { HyperliquidVenue } from '../../../src/venues/hyperliquid/venue';
import { reading, type SendKind, type VenueHarness, type VenueQuirk } from './harness';
import type { PaperSimulator } from './paper-harness';

const ACTIONS: Readonly<Record<SendKind, readonly string[]>> = { place: ['order'], amend: ['batchModify'], cancel: ['cancelByCloid', 'cancel'] };
const HEAR_WITHIN_MS = 5_000;
const SYMBOL = 'BTC';
const PRICE = '97000';
const QUIRKS: ReadonlySet<VenueQuirk> = new Set<VenueQuirk>(['terseViews', 'reusableClientIds', 'replacingAmends', 'unsequencedStreams', 'silentTruncation', 'vagueCancels']);

const agentOf = (key: string): string => addressOf(Buffer.from(key, 'hex'));

interface SimulatedOrder {
  readonly account: string;
  readonly clientId: string;
  readonly symbol: string;
  readonly quantity: string;
  readonly price: string | null;
}

/** A harness on a simulator that speaks Hyperliquid's protocol. */
export async function hyperliquidHarness({ url, call, control }: PaperSimulator): Promise<VenueHarness> {
  const opened: Venue[] = [];
  const users: string[] = [];
  const fault = async (body: Readonly<Record<string, unknown>>): Promise<string> => (await call<{ id: string }>('POST', '/__sim/faults', body)).id;
  const on = (kind: SendKind): { match: { path: string } } => ({ match: { path: `/exchange/${ACTIONS[kind][0]}` } });
  const freshVenue = (): HyperliquidVenue => {
    const venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl: url, wsUrl: url.replace('http', 'ws'), options: { agentCheckEveryMs: 200 }, clock: systemClock, pingEveryMs: 250 });
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
  return {
    quirks: QUIRKS,
    venue,
    control: {
      ...control,
      loseAnswer: async (kind) => void (await fault({ kind: 'dropResponse', ...on(kind) })),
      failAfterAccept: async (kind) => void (await fault({ kind: 'errorAfterAccept', status: 500, ...on(kind) })),
      holdAnswer: async (kind) => {
        const id = await fault({ kind: 'hold', ...on(kind) });
        return {
          taken: async () => void (await call('GET', `/__sim/faults/${id}/hits?count=1&timeoutMs=10000`)),
          release: async () => void (await call('POST', `/__sim/faults/${id}/release`, {})),
        };
      },
      rateLimit: async (what, retryAfterSeconds) => void (await fault({ kind: 'rateLimit', retryAfterSeconds, ...(what === 'read' ? {} : on(what)) })),
      received: async (kind) => {
        const counts = await Promise.all(ACTIONS[kind].map((action) => call<{ count: number }>('GET', `/__sim/requests?method=POST&path=/exchange/${action}`)));
        return counts.reduce((sum, { count }) => sum + count, 0);
      },
      revokeKey: (key) => control.revokeKey(agentOf(key)),
      accepted: async (account) => {
        const { orders } = await call<{ orders: SimulatedOrder[] }>('GET', '/__sim/orders');
        return orders.filter((order) => order.account === account).map((order) => ({ ...order, clientId: order.clientId.replace(/^0x/, '') }));
      },
    },
    symbol: SYMBOL,
    price: PRICE,
    quantity: '0.0123',
    hearWithinMs: HEAR_WITHIN_MS,
    freshVenue,
    account: async (of = venue) => {
      const agentKey = randomBytes(32).toString('hex');
      const name = `0x${randomBytes(20).toString('hex')}`;
      await call('POST', '/__sim/accounts', { key: agentOf(agentKey), account: name });
      users.push(name);
      await ready(of);
      return { name, key: agentKey, session: of.session({ agentKey, address: name }) };
    },
    reset: async () => {
      await control.clear();
      await call('POST', '/__sim/cancel-all', { accounts: users.splice(0) });
      await control.movePrice(SYMBOL, PRICE);
    },
    close: async () => {
      await Promise.all(opened.map((each) => each.close()));
    },
  };
}
