/** The registry: from settings to venues, each with its decorators. The only list of adapters. */
import type { Clock } from '../domain/clock';
import type { RateBudget } from '../domain/rate-budget';
import type { Venue } from '../domain/venue';
import type { Random } from './back-off';
import { CircuitBreaker, type BreakerRule, type BreakerState } from './circuit-breaker';
import { decorate, type VenueCallName } from './decorate';
import { HyperliquidVenue } from './hyperliquid/venue';
import { PaperVenue } from './paper/venue';
import { rateLimiter, type WeightOf } from './rate-limiter';
import { readRetry } from './read-retry';
import type { SocketEvent } from './socket';
import { telemetry, type CallReport } from './telemetry';

export interface VenueConfig {
  /** What the API calls it; several venues may speak through one adapter. `[a-z0-9-]{1,32}`. */
  readonly name: string;
  readonly adapter: string;
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** The adapter's own; see its schemas. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface VenueDependencies {
  readonly budget: RateBudget;
  readonly clock: Clock;
  readonly random?: Random;
  readonly breaker?: BreakerRule;
  readonly onCall?: (report: CallReport) => void;
  readonly onSocketEvent?: (event: SocketEvent) => void;
  /** A venue used a field or word its adapter does not know. */
  readonly onDrift?: (venue: string, what: string) => void;
  readonly onBudgetError?: (error: unknown) => void;
  readonly onBudget?: (venue: string, remaining: number) => void;
  readonly onBreakerChange?: (venue: string, state: BreakerState) => void;
}

interface Adapter {
  /** Throws where the options are not the adapter's. */
  create(config: VenueConfig, deps: VenueDependencies): Venue;
  readonly weightOf: WeightOf;
}

/** Bytes of one signed order, nearly: forty of them weigh one more. */
const HYPERLIQUID_BYTES_PER_WEIGHT = 40 * 700;
const HYPERLIQUID_LIGHT: ReadonlySet<VenueCallName> = new Set(['orderBook', 'findOrder', 'positions', 'setLeverage', 'setDeadManSwitch']);

const ADAPTERS: Readonly<Record<string, Adapter>> = {
  hyperliquid: {
    create: ({ name, httpUrl, wsUrl, options }, { clock, onSocketEvent, onDrift }) =>
      new HyperliquidVenue({ name, httpUrl, wsUrl, options, clock, ...(onSocketEvent ? { onSocketEvent } : {}), ...(onDrift ? { onDrift: (what: string) => onDrift(name, what) } : {}) }),
    // As documented: 1 + floor(n / 40) an action, 2 or 20 a read, 60 more for the agent's standing.
    weightOf: ({ call, request }) => {
      if (request !== null) return 1 + Math.floor(request.bytes.length / HYPERLIQUID_BYTES_PER_WEIGHT);
      if (call === 'balances' || call === 'checkCredentials') return 62;
      return HYPERLIQUID_LIGHT.has(call) ? 2 : 20;
    },
  },
  paper: {
    create: ({ name, httpUrl, wsUrl, options }, { clock, onSocketEvent }) => new PaperVenue({ name, httpUrl, wsUrl, options, clock, ...(onSocketEvent ? { onSocketEvent } : {}) }),
    weightOf: () => 1,
  },
};

/** Also a budget's scope and a metric's label, hence so narrow. */
const VENUE_NAME = /^[a-z0-9-]{1,32}$/;

/** Venues by name. Throws one clear Error on a wrong configuration, before any of them is opened. */
export function createVenues(configs: readonly VenueConfig[], deps: VenueDependencies): Map<string, Venue> {
  const venues = new Map<string, Venue>();
  for (const config of configs) {
    if (!VENUE_NAME.test(config.name)) throw new Error(`venue name ${JSON.stringify(config.name)} must be 1 to 32 of a-z, 0-9 and -`);
    if (venues.has(config.name)) throw new Error(`venue ${config.name} is configured twice`);
    venues.set(config.name, create(config, deps));
  }
  return venues;
}

function create(config: VenueConfig, deps: VenueDependencies): Venue {
  const adapter = Object.hasOwn(ADAPTERS, config.adapter) ? ADAPTERS[config.adapter] : undefined;
  if (!adapter) throw new Error(`venue ${config.name}: no adapter ${JSON.stringify(config.adapter)}; known: ${Object.keys(ADAPTERS).join(', ')}`);
  let bare: Venue;
  try {
    bare = adapter.create(config, deps);
  } catch (cause) {
    throw new Error(`venue ${config.name}: its settings are wrong: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const { budget, clock, random, onBudgetError, onBudget } = deps;
  const breaker = new CircuitBreaker(config.name, clock, deps.breaker, deps.onBreakerChange);
  // From the inside: the budget is taken only for calls the breaker lets through; each attempt is reported with what held it
  // back; repeats are outermost, so that each passes the breaker and the budget anew.
  let venue = decorate(bare, rateLimiter({ budget, rule: bare.capabilities.budget, clock, weightOf: adapter.weightOf, ...(onBudgetError ? { onBudgetError } : {}), ...(onBudget ? { onBudget } : {}) }));
  venue = decorate(venue, breaker.around);
  venue = decorate(venue, telemetry(deps.onCall ?? (() => undefined)));
  return decorate(venue, readRetry(random ? { random } : {}));
}
