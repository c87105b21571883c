/** Adapters with one planted defect each, made by wrapping the real one: what a hurried author might write. */
import type { FillsPage, ItemAnswer, PlaceRequest, PrivateMessage, SendAnswer, SendOptions, SignedRequest, Venue, VenueAccountSession, VenueFill, VenueOrder, VenueStream } from '../../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../../../src/domain/venue-errors';
import { newClientId } from './harness';

export interface PlantedDefect {
  readonly defect: string;
  /** Checks of the contract that must fail; the others may. */
  readonly foundBy: readonly string[];
  readonly plant: (venue: Venue) => Venue;
}

type SessionChange = (session: VenueAccountSession) => Partial<VenueAccountSession>;

/** The same object with some methods replaced. */
function changed<T extends object>(original: T, change: Partial<T>): T {
  return new Proxy(original, {
    get: (target, property) => {
      const value: unknown = Reflect.get(property in change ? change : target, property);
      return typeof value === 'function' ? (value as (...parameters: unknown[]) => unknown).bind(property in change ? change : target) : value;
    },
  });
}

const session =
  (change: SessionChange) =>
  (venue: Venue): Venue =>
    changed(venue, {
      session: (credentials) => {
        const real = venue.session(credentials);
        return changed(real, change(real));
      },
    });

const send = (broken: (real: VenueAccountSession, request: SignedRequest, options: SendOptions) => Promise<SendAnswer>) =>
  session((real) => ({ send: (request, options) => broken(real, request, options) }));

const items = (broken: (item: ItemAnswer) => ItemAnswer) => send(async (real, request, options) => {
  const answer = await real.send(request, options);
  return { ...answer, items: answer.items.map(broken) };
});

const fills = (broken: (page: FillsPage) => FillsPage) =>
  session((real) => ({ fillsSince: async (sinceMs, cursor, options) => broken(await real.fillsSince(sinceMs, cursor, options)) }));

const eachFill = (broken: (fill: VenueFill) => VenueFill) => fills((page) => ({ ...page, fills: page.fills.map(broken) }));

const placing = (broken: (order: PlaceRequest) => PlaceRequest) => session((real) => ({ preparePlace: (orders, context) => real.preparePlace(orders.map(broken), context) }));

const stream = (broken: (message: PrivateMessage) => PrivateMessage | null) =>
  session((real) => ({
    streamPrivate: (onMessage): VenueStream =>
      real.streamPrivate((message) => {
        const passed = broken(message);
        if (passed) onMessage(passed);
      }),
  }));

const onUnknown = (instead: (error: VenueOutcomeUnknown, real: VenueAccountSession, request: SignedRequest, options: SendOptions) => Promise<SendAnswer>) =>
  send(async (real, request, options) => {
    try {
      return await real.send(request, options);
    } catch (error) {
      if (error instanceof VenueOutcomeUnknown) return instead(error, real, request, options);
      throw error;
    }
  });

/** Wrapped as the defects are, and nothing changed. */
export const UNCHANGED = session(() => ({}));

/** An order the adapter made up. */
const invented: VenueOrder = {
  ...{ venueOrderId: '0', venueClientId: null, venueSymbol: '', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0', limitPrice: null },
  ...{ filledQuantity: '0', avgPrice: null, status: 'canceled', reasonCode: null, postOnly: false, reduceOnly: false, revision: null, updatedAtMs: 1 },
};

export const PLANTED_DEFECTS: readonly PlantedDefect[] = [
  {
    defect: 'lost fill: the last fill of a page is dropped',
    foundBy: ['every fill comes once, oldest first, over as many pages as it takes'],
    plant: fills((page) => ({ ...page, fills: page.fills.slice(0, 2) })),
  },
  {
    defect: 'lost fill: the stream keeps fills to itself',
    foundBy: ['the private stream brings orders, fills, positions and balances as the queries show them', 'a fill of a resting order and its cancel come on the stream'],
    plant: stream((message) => (message.kind === 'fill' ? null : message)),
  },
  {
    defect: 'wrong sign: a short position is shown long',
    foundBy: ['a position is long after buying, short after selling, and gone when flat'],
    plant: session((real) => ({ positions: async (options) => (await real.positions(options)).map((position) => ({ ...position, side: 'long' as const })) })),
  },
  {
    defect: 'wrong sign: fills show the side of the other party',
    foundBy: ['a fill tells side, price, quantity, fee and liquidity as they were'],
    plant: eachFill((fill) => ({ ...fill, side: fill.side === 'buy' ? 'sell' : 'buy' })),
  },
  {
    defect: 'swallowed reject: a refused order is acknowledged',
    foundBy: ['a post-only order rests or is refused, and never takes', 'each order of a list gets its own answer, in the order of the list'],
    plant: items((item) => (item.kind === 'refused' ? { kind: 'acknowledged', order: invented } : item)),
  },
  {
    defect: 'resend with a new client id after silence',
    foundBy: ['a lost answer leaves the outcome unknown, and the one order is found by its client id', 'the same bytes sent again after silence make no second order'],
    plant: onUnknown((_error, real, request, options) => {
      // Names every order of the stored request anew.
      const bytes = request.bytes.replaceAll(/"clientId":"[^"]*"/g, () => `"clientId":"${newClientId()}"`);
      return real.send({ ...request, bytes }, options);
    }),
  },
  {
    defect: 'resend of the same bytes inside one send',
    foundBy: ['the same bytes sent again after silence make no second order'],
    plant: onUnknown((_error, real, request, options) => real.send(request, options)),
  },
  {
    defect: 'swallowed timeout: silence is called a refusal',
    foundBy: ['a lost answer leaves the outcome unknown, and the one order is found by its client id', 'a 5xx after the venue took the order leaves the outcome unknown', 'an answer later than the deadline leaves the outcome unknown'],
    plant: onUnknown((error) => Promise.reject(new VenueRefused(error.venue, 'other', 'TIMEOUT', error.message))),
  },
  {
    defect: 'silence is called not sent',
    foundBy: ['an answer later than the deadline leaves the outcome unknown', 'the lost answer of a cancel leaves it unknown'],
    plant: onUnknown((error) => Promise.reject(new VenueUnavailable(error.venue, error.message, 'connection'))),
  },
  {
    defect: 'wrong fee: fees are left out',
    foundBy: ['a fill tells side, price, quantity, fee and liquidity as they were'],
    plant: eachFill((fill) => ({ ...fill, fee: '0' })),
  },
  {
    defect: 'maker and taker are confused',
    foundBy: ['a fill tells side, price, quantity, fee and liquidity as they were'],
    plant: eachFill((fill) => ({ ...fill, liquidity: fill.liquidity === 'maker' ? 'taker' : 'maker' })),
  },
  {
    defect: 'dropped gap: the holder never hears that messages are missing',
    foundBy: ['a lost message of the private stream is told as a gap', 'after a lost connection the stream comes back, tells a gap first, and brings what follows'],
    plant: stream((message) => (message.kind === 'gap' ? null : message)),
  },
  {
    defect: 'fills since a time leave out that very time',
    foundBy: ['fills since a time include those of that very time'],
    plant: session((real) => ({ fillsSince: (sinceMs, cursor, options) => real.fillsSince(sinceMs + 1, cursor, options) })),
  },
  {
    defect: 'only the first page of fills is read',
    foundBy: ['every fill comes once, oldest first, over as many pages as it takes'],
    plant: fills((page) => ({ ...page, next: null })),
  },
  {
    defect: 'the cursor is ignored',
    foundBy: ['every fill comes once, oldest first, over as many pages as it takes'],
    plant: session((real) => ({ fillsSince: (sinceMs, _cursor, options) => real.fillsSince(sinceMs, null, options) })),
  },
  {
    defect: 'quantity rounded on the way out',
    foundBy: ['a limit order rests exactly as it was asked for', 'a market order fills at the best price of the other side'],
    plant: placing((order) => ({ ...order, quantity: Number(order.quantity).toFixed(3) })),
  },
  {
    defect: 'reduce-only is forgotten',
    foundBy: ['a reduce-only order reduces or is refused, and never opens'],
    plant: placing((order) => ({ ...order, reduceOnly: false })),
  },
  {
    defect: 'post-only is forgotten',
    foundBy: ['a post-only order rests or is refused, and never takes'],
    plant: placing((order) => ({ ...order, postOnly: false })),
  },
  {
    defect: 'every order is GTC',
    foundBy: ['an IOC takes what is there and cancels the rest; with nothing there it is canceled', 'a FOK fills all or nothing'],
    plant: placing((order) => (order.type === 'limit' ? { ...order, timeInForce: 'GTC' } : order)),
  },
  {
    defect: 'a cancel of an unknown order is called canceled',
    foundBy: ['cancels are answered one by one: by order id, by client id, unknown, and already closed'],
    plant: items((item) => (item.kind === 'refused' && item.code === 'notFound' ? { kind: 'acknowledged', order: invented } : item)),
  },
  {
    defect: 'a duplicate client id is taken for success',
    foundBy: ['a client id is refused when it was ever accepted, open or closed'],
    plant: items((item) => (item.kind === 'refused' && item.code === 'duplicateClientId' ? { kind: 'accepted', venueOrderId: null, transactionHash: null } : item)),
  },
  {
    defect: 'the fence is not asked',
    foundBy: ['a sender that lost its fence sends nothing', 'the fence is asked once, before the request reaches the venue'],
    plant: send((real, request, options) => real.send(request, { ...options, maySend: () => Promise.resolve(true) })),
  },
  {
    defect: 'a fence that cannot be read lets everything pass',
    foundBy: ['a sender whose fence cannot be read sends nothing'],
    plant: send((real, request, options) => real.send(request, { ...options, maySend: () => options.maySend().catch(() => true) })),
  },
  {
    defect: 'the fence is asked only after the request left',
    foundBy: ['a sender that lost its fence sends nothing', 'the fence is asked once, before the request reaches the venue'],
    plant: send(async (real, request, options) => {
      const answer = await real.send(request, { ...options, maySend: () => Promise.resolve(true) });
      await options.maySend();
      return answer;
    }),
  },
  {
    defect: 'the deadline of a send is ignored',
    foundBy: ['nothing is sent after the deadline, also when it passes while the fence is asked'],
    plant: send((real, request, options) => real.send(request, { ...options, sendBeforeMs: Date.now() + 10_000 })),
  },
  {
    defect: 'a canceled caller is not heard',
    foundBy: ['nothing is sent for a canceled caller'],
    plant: send((real, request, options) => real.send(request, { ...options, signal: new AbortController().signal })),
  },
  {
    defect: 'answers of a list come in another order',
    foundBy: ['each order of a list gets its own answer, in the order of the list'],
    plant: send(async (real, request, options) => {
      const answer = await real.send(request, options);
      return { ...answer, items: [...answer.items].reverse() };
    }),
  },
  {
    defect: 'Retry-After is taken for milliseconds',
    foundBy: ['a 429 tells when to ask again, and nothing was done'],
    plant: send(async (real, request, options) => {
      try {
        return await real.send(request, options);
      } catch (error) {
        if (error instanceof VenueRateLimited) throw new VenueRateLimited(error.venue, error.message, error.retryAfterMs / 1000, error.by);
        throw error;
      }
    }),
  },
  {
    defect: 'a failed query is called not found',
    foundBy: ['a query that fails is an error and never an empty answer'],
    plant: session((real) => ({ findOrder: (order, options) => real.findOrder(order, options).catch(() => null) })),
  },
  {
    defect: 'an amendment gets a new id with each send',
    foundBy: ['an amendment changes price and quantity in place, and has no second effect'],
    plant: send((real, request, options) => real.send({ ...request, bytes: request.bytes.replace(/"amendId":"[^"]*"/, () => `"amendId":"${newClientId()}"`) }, options)),
  },
  {
    defect: 'the deadline is not told to the venue',
    foundBy: ['a request whose deadline passed by the clock of the venue has no effect'],
    plant: session((real) => ({ preparePlace: (orders, context) => real.preparePlace(orders, { ...context, venueDeadlineMs: context.venueDeadlineMs + 3_600_000 }) })),
  },
  {
    defect: 'the gap of a book is not told and no snapshot follows',
    foundBy: ['a lost message of the book is told as a gap, and a new snapshot follows'],
    plant: (venue) => changed(venue, { streamPublic: (symbols, onMessage) => venue.streamPublic(symbols, (message) => (message.kind === 'gap' ? undefined : onMessage(message))) }),
  },
];
