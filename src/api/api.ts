/** Composition of the HTTP API. Pure: no environment, no connection, no listening; main gives the ports and the server. */
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Authenticator } from './auth';
import { CallLimits, type CallLimitRules } from './call-limits';
import { mountCodec, type CodecEndpoint } from './codec';
import { allowOrigins } from './cors';
import { Directory } from './directory';
import { mountDocs, securityHeaders } from './docs';
import { ApiMetrics } from './metrics';
import { mountErrors, mountRoutes } from './mount';
import { openApiDocument } from './openapi';
import { FirstCheck } from './first-check';
import { IntentMaker } from './order-intent';
import { OrderMutations } from './order-mutations';
import { OrderPlacement } from './order-placement';
import { OrderPreview } from './order-preview';
import { OrderWaiter } from './order-waiter';
import type { CacheLifetimes } from './limits';
import type { ApiPorts } from './ports';
import { RecentOrders } from './recent-orders';
import { requestContext } from './request-context';
import { routeTable, type RouteContext } from './route-table';
import { SignalDesk } from './signal-desk';
import { SignalKeeper } from './signal-keeper';
import { StrategyDesk } from './strategy-desk';

export interface ApiOptions {
  readonly ports: ApiPorts;
  readonly log: Logger;
  /** Other rooms may register theirs in it too; /metrics prints all. */
  readonly registry: Registry;
  readonly version: string;
  /** An order that certainly was not sent within this time after its intent is refused; an amendment is not sent after it (SUREFILL_PLACE_DEADLINE_MS). */
  readonly placeDeadlineMs: number;
  readonly limits: CallLimitRules;
  readonly caches: CacheLifetimes;
  /** Web pages that may call. */
  readonly corsOrigins: readonly string[];
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Absent: Temporal's payloads are not encrypted, and nobody needs to decode them. */
  readonly codec?: CodecEndpoint;
}

export interface Api {
  readonly app: Express;
  readonly waiter: OrderWaiter;
  /** Looks after signals that were taken and not placed, from its start on. */
  readonly signalKeeper: SignalKeeper;
  readonly signalDesk: SignalDesk;
  /** Answers every waiting request with what is known, and ends all timers. */
  close(): void;
}

export function createApi(options: ApiOptions): Api {
  const { ports, log } = options;
  const recentOrders = new RecentOrders(ports.clock);
  const waiter = new OrderWaiter({ tail: ports.tail, orders: ports.orders, log, onOrder: (order) => recentOrders.see(order) });
  const directory = new Directory(ports, options.caches.configurationMs);
  const intents = new IntentMaker(directory, ports, options.placeDeadlineMs);
  const preview = new OrderPreview(ports, directory, intents);
  const placement = new OrderPlacement(ports, waiter, intents, new FirstCheck(ports, directory, log), log);
  const signals = new SignalDesk(ports, { placement, preview, strategies: new StrategyDesk(directory, ports) }, log);
  const signalKeeper = new SignalKeeper(ports, signals, log);
  const context: RouteContext = {
    ports,
    directory,
    intents,
    waiter,
    recentOrders,
    preview,
    placement,
    signals,
    mutations: new OrderMutations(ports, waiter, directory, options.placeDeadlineMs, log),
    registry: options.registry,
    log,
    caches: options.caches,
    document: () => document,
  };
  const routes = routeTable(context);
  const document = openApiDocument(routes, { version: options.version });

  const app = express();
  app.disable('x-powered-by');
  // An order's ETag is its revision; a computed one would cost a hash of every answer.
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', [...options.trustedProxies]);
  app.use(requestContext(log, new ApiMetrics(options.registry, () => waiter.size)));
  app.use(securityHeaders());
  const mount = { ports, authenticator: new Authenticator(ports), limits: new CallLimits(ports, options.limits) };
  if (options.codec !== undefined) mountCodec(app, options.codec, mount);
  app.use(allowOrigins(options.corsOrigins));
  mountRoutes(app, routes, mount);
  mountDocs(app);
  mountErrors(app, ports, log);
  return {
    app,
    waiter,
    signalKeeper,
    signalDesk: signals,
    close: () => {
      signalKeeper.close();
      waiter.close();
      directory.close();
    },
  };
}
