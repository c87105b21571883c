/** The registry: from settings to venues, each with its decorators. */
import type { Clock } from '../domain/clock';
import type { RateBudget } from '../domain/rate-budget';
import type { Seats } from '../domain/seats';
import type { Venue } from '../domain/venue';
import { ADAPTER_NAMES, isAdapterName, type AdapterName } from './adapter-names';
import type { Random } from './back-off';
import { CircuitBreaker, type BreakerRule, type BreakerState } from './circuit-breaker';
import { decorate } from './decorate';
import { HyperliquidVenue } from './hyperliquid/venue';
import { hyperliquidWeightOf } from './hyperliquid/weights';
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
  /** Of what a venue allows one network address, shared by all processes behind it; absent: by this process alone. */
  readonly seats?: Seats;
  readonly onSeatError?: (venue: string, error: unknown) => void;
  readonly random?: Random;
  readonly breaker?: BreakerRule;
  readonly onCall?: (report: CallReport) => void;
  readonly onSocketEvent?: (event: SocketEvent) => void;
  /** A venue used a field or word its adapter does not know; `news` is false for what was told within the hour. */
  readonly onDrift?: (venue: string, what: string, news: boolean) => void;
  readonly onBudgetError?: (error: unknown) => void;
  readonly onBudget?: (venue: string, remaining: number) => void;
  readonly onBreakerChange?: (venue: string, state: BreakerState) => void;
}

interface Adapter {
  /** Throws where the options are not the adapter's. */
  create(config: VenueConfig, deps: VenueDependencies): Venue;
  weightOf(config: VenueConfig): WeightOf;
}

const ADAPTERS: Readonly<Record<AdapterName, Adapter>> = {
  hyperliquid: {
    create: ({ name, httpUrl, wsUrl, options }, { clock, budget, seats, onSeatError, onSocketEvent, onDrift, onBudgetError }) => {
      const venue: HyperliquidVenue = new HyperliquidVenue({
        name, httpUrl, wsUrl, options, clock,
        spend: (weight) => budget.take({ scope: name, rule: venue.capabilities.budget, weight, class: 'read' }).then(({ granted }) => granted),
        ...(seats ? { seats } : {}), ...(onSeatError ? { onSeatError: (error: unknown) => onSeatError(name, error) } : {}), ...(onBudgetError ? { onBackgroundError: onBudgetError } : {}),
        ...(onSocketEvent ? { onSocketEvent } : {}), ...(onDrift ? { onDrift: (what: string, news: boolean) => onDrift(name, what, news) } : {}),
      });
      return venue;
    },
    weightOf: ({ options }) => hyperliquidWeightOf(Array.isArray(options['dexes']) ? options['dexes'].length : 0),
  },
  paper: {
    create: ({ name, httpUrl, wsUrl, options }, { clock, onSocketEvent }) => new PaperVenue({ name, httpUrl, wsUrl, options, clock, ...(onSocketEvent ? { onSocketEvent } : {}) }),
    weightOf: () => () => 1,
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
  if (!isAdapterName(config.adapter)) throw new Error(`venue ${config.name}: no adapter ${JSON.stringify(config.adapter)}; known: ${ADAPTER_NAMES.join(', ')}`);
  const adapter = ADAPTERS[config.adapter];
  let bare: Venue;
  try {
    bare = adapter.create(config, deps);
  } catch (cause) {
    throw new Error(`venue ${config.name}: its settings are wrong: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const { budget, clock, random, onBudgetError, onBudget } = deps;
  const weightOf = adapter.weightOf(config);
  const breaker = new CircuitBreaker(config.name, clock, deps.breaker, deps.onBreakerChange);
  // From the inside: the budget is taken only for calls the breaker lets through; each attempt is reported with what held it
  // back; repeats are outermost, so that each passes the breaker and the budget anew.
  let venue = decorate(bare, rateLimiter({ budget, rule: bare.capabilities.budget, clock, weightOf, ...(onBudgetError ? { onBudgetError } : {}), ...(onBudget ? { onBudget } : {}) }));
  venue = decorate(venue, breaker.around);
  venue = decorate(venue, telemetry(deps.onCall ?? (() => undefined)));
  return decorate(venue, readRetry(random ? { random } : {}));
}
