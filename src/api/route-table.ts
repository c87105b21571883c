/** Every route of the API, once. Order matters where paths overlap: the fixed word before the parameter. */
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Directory } from './directory';
import type { JsonObject } from './openapi';
import type { IntentMaker } from './order-intent';
import type { OrderMutations } from './order-mutations';
import type { OrderPlacement } from './order-placement';
import type { OrderPreview } from './order-preview';
import type { OrderWaiter } from './order-waiter';
import type { CacheLifetimes } from './limits';
import type { ApiPorts } from './ports';
import type { RecentOrders } from './recent-orders';
import type { Route } from './route';
import type { SignalDesk } from './signal-desk';
import { accountChangeRoutes } from './routes/account-changes';
import { accountRoutes } from './routes/accounts';
import { alertChannelRoutes } from './routes/alert-channels';
import { alertRuleRoutes } from './routes/alert-rules';
import { alertRoutes } from './routes/alerts';
import { apiKeyRoutes } from './routes/api-keys';
import { collateralMoveRoutes } from './routes/collateral-moves';
import { depositRoutes } from './routes/deposits';
import { suspenseRoutes } from './routes/suspense';
import { eventRoutes } from './routes/events';
import { fillRoutes } from './routes/fills';
import { healthRoutes } from './routes/health';
import { marketRoutes } from './routes/markets';
import { orderChangeRoutes } from './routes/order-changes';
import { orderListRoutes } from './routes/order-lists';
import { orderRoutes } from './routes/orders';
import { orderPlacementRoutes } from './routes/order-placement';
import { positionRoutes } from './routes/positions';
import { priceRoutes } from './routes/prices';
import { riskLimitRoutes } from './routes/risk-limits';
import { killSwitchRoutes } from './routes/kill-switch';
import { signalSourceRoutes } from './routes/signal-sources';
import { signalRoutes } from './routes/signals';
import { strategyRoutes } from './routes/strategies';
import { tradeRoutes } from './routes/trades';
import { venueRoutes } from './routes/venues';
import { webhookDeliveryRoutes } from './routes/webhook-deliveries';
import { webhookRoutes } from './routes/webhooks';
import { withdrawalRoutes } from './routes/withdrawals';

/** What the routes are made of. */
export interface RouteContext {
  readonly ports: ApiPorts;
  readonly directory: Directory;
  readonly intents: IntentMaker;
  readonly waiter: OrderWaiter;
  readonly recentOrders: RecentOrders;
  readonly placement: OrderPlacement;
  readonly preview: OrderPreview;
  readonly mutations: OrderMutations;
  readonly signals: SignalDesk;
  readonly registry: Registry;
  readonly log: Logger;
  readonly caches: CacheLifetimes;
  /** The OpenAPI document, which is made from this table. */
  readonly document: () => JsonObject;
}

export function routeTable(context: RouteContext): readonly Route[] {
  return [
    // First, because express looks in this order and this is asked most.
    ...orderPlacementRoutes(context),
    ...venueRoutes(context),
    ...marketRoutes(context),
    ...priceRoutes(context),
    ...accountRoutes(context),
    ...accountChangeRoutes(context),
    ...riskLimitRoutes(context),
    ...apiKeyRoutes(context),
    ...orderRoutes(context),
    ...orderChangeRoutes(context),
    ...orderListRoutes(context),
    ...strategyRoutes(context),
    ...killSwitchRoutes(context),
    ...fillRoutes(context),
    ...positionRoutes(context),
    ...collateralMoveRoutes(context),
    ...tradeRoutes(context),
    ...depositRoutes(context),
    ...withdrawalRoutes(context),
    ...suspenseRoutes(context),
    ...eventRoutes(context),
    ...alertRuleRoutes(context),
    ...alertChannelRoutes(context),
    ...alertRoutes(context),
    ...webhookRoutes(context),
    ...webhookDeliveryRoutes(context),
    ...signalRoutes(context),
    ...signalSourceRoutes(context),
    ...healthRoutes(context),
  ];
}
