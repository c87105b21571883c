/** Every workflow type: each export is one. */
export { account } from './account';
export { marketWatch } from './market-watch';
export { order } from './order';
export { orderAmendment } from './order-amendment';
export { orderCancellation } from './order-cancellation';
export { orderResolution } from './order-resolution';
export { retention } from './retention';
export { storeGuard } from './store-guard';
export { sweeper } from './sweeper';
export { webhookDelivery } from './webhook-delivery';
