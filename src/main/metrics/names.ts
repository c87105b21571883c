/**
 * Every figure that roles keep beside the HTTP edge's own (api/metrics.ts), once: what it is called and which roles have it.
 * Base units, `_total` for what only rises, no ids in labels. docs/operations.md lists the same names (a test compares).
 */
import type { Role } from '../launcher/role-plan';

export const METRIC_NAMES = {
  venueCallSeconds: 'surefill_venue_call_duration_seconds',
  venueBudgetLeft: 'surefill_venue_rate_limit_remaining',
  venueBreaker: 'surefill_venue_breaker_open',
  streamGaps: 'surefill_ws_gap_total',
  schemaDrift: 'surefill_venue_schema_drift_total',
  socketConnections: 'surefill_ws_connections',
  ordersSubmitted: 'surefill_orders_submitted_total',
  orderAckSeconds: 'surefill_order_ack_seconds',
  ordersUnknown: 'surefill_orders_unknown_state',
  riskBlocks: 'surefill_risk_blocks_total',
  fills: 'surefill_fills_total',
  tradeVolume: 'surefill_trade_volume_quote_total',
  positionsValue: 'surefill_positions_value_usd',
  positionsUnprotected: 'surefill_positions_unprotected_ms',
  triggerLagSeconds: 'surefill_trigger_lag_seconds',
  triggerPastUnread: 'surefill_trigger_past_unread_total',
  mismatches: 'surefill_reconciliation_mismatch_total',
  webhookDeliveries: 'surefill_webhook_deliveries_total',
  webhookOldest: 'surefill_webhook_oldest_pending_seconds',
  depositsByState: 'surefill_deposits_by_state',
  chainStalledSeconds: 'surefill_chain_stalled_seconds',
  alertMessages: 'surefill_alert_messages_total',
} as const;

export type Metric = keyof typeof METRIC_NAMES;

const ALL: readonly Role[] = ['api', 'worker', 'watcher'];

/** Counted where it happens: venue calls and committed events in every process, audits in the watcher, deliveries in the worker, gauges once, by the API. */
export const METRIC_ROLES: Readonly<Record<Metric, readonly Role[]>> = {
  venueCallSeconds: ALL,
  venueBudgetLeft: ALL,
  venueBreaker: ALL,
  streamGaps: ALL,
  schemaDrift: ALL,
  ordersSubmitted: ALL,
  orderAckSeconds: ALL,
  riskBlocks: ALL,
  fills: ALL,
  tradeVolume: ALL,
  socketConnections: ['api'],
  ordersUnknown: ['api'],
  positionsValue: ['api'],
  positionsUnprotected: ['api'],
  triggerLagSeconds: ['watcher'],
  triggerPastUnread: ['watcher'],
  mismatches: ['watcher'],
  webhookDeliveries: ['worker'],
  webhookOldest: ['api'],
  depositsByState: ['api'],
  chainStalledSeconds: ['api'],
  alertMessages: ['worker'],
};
