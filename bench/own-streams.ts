/** Our streams on a server of a benchmark: everybody may see everything, and there is nothing to begin with. */
import type { Server } from 'node:http';
import { systemClock } from '../src/domain/clock';
import { OneProcessSeats } from '../src/domain/seats';
import type { EventTail } from '../src/streams/event-tail';
import type { PriceCache } from '../src/streams/prices/price-cache';
import { attachSockets } from '../src/streams/sockets';

/** No client of a benchmark may be refused. */
const SOCKETS_PER_USER = 1_000_000;

export function serveOurs(server: Server, { tail, prices, marketIntervalMs, onError }: { readonly tail: EventTail; readonly prices: PriceCache; readonly marketIntervalMs: number; readonly onError: (error: unknown) => never }): void {
  const none = async (): Promise<readonly never[]> => [];
  attachSockets(server, {
    authenticate: async () => ({ userId: 'u' }),
    seats: new OneProcessSeats(),
    ownsAccount: async () => true,
    resolveMarket: async (venue, symbol) => ({ venue, symbol }),
    snapshots: { orders: none, orderLists: none, strategies: none, fills: none, positions: none, balances: none, trades: none, account: none, deposits: none, alerts: none },
    lastStreamAlert: async () => null,
    tail,
    prices,
    errorBody: onError,
    clock: systemClock,
    onError,
    limits: { socketsPerUser: SOCKETS_PER_USER },
    marketIntervalMs,
  });
}
