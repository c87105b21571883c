/** Every workflow type: each export is one. */
export { account } from './account';
export { alertDelivery } from './alert-delivery';
export { alertWatch } from './alert-watch';
export { conditionalOrder } from './conditional-order';
export { chainWatch } from './chain-watch';
export { collateralMove } from './collateral-move';
export { deposit } from './deposit';
export { fundedOrder } from './funded-order';
export { marketWatch } from './market-watch';
export { order } from './order';
export { orderAmendment } from './order-amendment';
export { orderCancellation } from './order-cancellation';
export { orderList } from './order-list';
export { orderResolution } from './order-resolution';
export { retention } from './retention';
export { storeGuard } from './store-guard';
export { sweeper } from './sweeper';
export { webhookDelivery } from './webhook-delivery';
export { withdrawal } from './withdrawal';
export { deadMan } from './dead-man';
export { killSwitch } from './kill-switch';
// One driver under the name of each type (domain/strategies/registry.ts): operators read and filter by it.
export { strategy as chase, strategy as iceberg, strategy as scale, strategy as twap } from './strategy';
