import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { EventType, StreamEvent } from '../../../src/domain/events';
import type { Order } from '../../../src/domain/order';
import { METRIC_NAMES } from '../../../src/main/metrics/names';
import { registerStateGauges } from '../../../src/main/metrics/state-gauges';
import { TradeMetrics } from '../../../src/main/metrics/trade-metrics';
import { VenueMetrics } from '../../../src/main/metrics/venue-metrics';
import { WatchMetrics } from '../../../src/main/metrics/watch-metrics';
import { AT, sampleOrder } from '../domain/order-samples';

let registry: Registry;
beforeEach(() => {
  registry = new Registry();
});

/** The lines of one figure, without its help. */
async function shown(name: string): Promise<string[]> {
  return (await registry.getSingleMetricAsString(name)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

function event(type: EventType, data: Record<string, unknown>, at = AT): StreamEvent {
  return { id: 'e', stream: 'account:a1', userId: 'u1', accountId: 'a1', sequence: 1, generation: 'g', type, at, orderId: 'o', data };
}

describe('what was committed', () => {
  const later = '2026-01-01T00:00:02.000Z';
  const told = (type: EventType, changes: Partial<Order>, at = AT): StreamEvent => event(type, { order: sampleOrder(changes) }, at);

  test('counts each order by its outcome, and the time to the acknowledgement once', async () => {
    const { onCommitted } = new TradeMetrics(registry);
    onCommitted([told('order.submitting', {}), told('order.unknown', { state: 'UNKNOWN' })]);
    const acknowledged = { id: '2', state: 'WORKING', acknowledgedAt: later } as const;
    onCommitted([told('order.working', acknowledged, later), told('order.partiallyFilled', { ...acknowledged, state: 'PARTIALLY_FILLED' }, later)]);
    onCommitted([told('order.filled', { ...acknowledged, state: 'FILLED' }, '2026-01-01T00:00:09.000Z')]);
    onCommitted([told('order.rejected', { id: '3', state: 'REJECTED' }), told('order.cancelRequested', acknowledged, later)]);
    expect((await shown(METRIC_NAMES.ordersSubmitted)).sort()).toEqual([
      'surefill_orders_submitted_total{venue="paper",type="limit",outcome="acknowledged"} 1',
      'surefill_orders_submitted_total{venue="paper",type="limit",outcome="rejected"} 1',
      'surefill_orders_submitted_total{venue="paper",type="limit",outcome="unknown"} 1',
    ]);
    expect(await shown(METRIC_NAMES.orderAckSeconds)).toContain('surefill_order_ack_seconds_sum{venue="paper"} 2');
  });

  test('counts what our own checks denied, by code, and leaves out what was placed elsewhere', async () => {
    const { onCommitted } = new TradeMetrics(registry);
    onCommitted([told('order.denied', { state: 'DENIED', reasonCode: 'RISK_LIMIT' }), told('order.adopted', { origin: 'EXTERNAL' }), told('order.working', { origin: 'EXTERNAL', acknowledgedAt: AT })]);
    expect(await shown(METRIC_NAMES.riskBlocks)).toEqual(['surefill_risk_blocks_total{code="RISK_LIMIT"} 1']);
    expect(await shown(METRIC_NAMES.ordersSubmitted)).toHaveLength(1);
  });

  test('counts fills and what they were worth', async () => {
    const fill = event('fill.created', { fill: { venue: 'paper', symbol: 'BTC-PERP', side: 'buy', price: '100.5', quantity: '2' } });
    new TradeMetrics(registry).onCommitted([fill, fill]);
    expect(await shown(METRIC_NAMES.fills)).toEqual(['surefill_fills_total{venue="paper",side="buy"} 2']);
    expect(await shown(METRIC_NAMES.tradeVolume)).toEqual(['surefill_trade_volume_quote_total{venue="paper",symbol="BTC-PERP"} 402']);
  });
});

describe('a venue', () => {
  test('shows each call\'s time and outcome, what is left of its budget, its breaker and its gaps', async () => {
    const metrics = new VenueMetrics(registry);
    metrics.begin(['paper']);
    expect(await shown(METRIC_NAMES.streamGaps)).toEqual(['surefill_ws_gap_total{venue="paper"} 0']);
    metrics.onCall({ venue: 'paper', call: 'send', outcome: 'unknown', latencyMs: 1_500 });
    metrics.onBudget('paper', 41);
    metrics.onSocketEvent({ kind: 'gap', venue: 'paper', reason: 'stalled' });
    metrics.onSocketEvent({ kind: 'open', venue: 'paper', reason: '' });
    const breaker = async (): Promise<string[]> => shown(METRIC_NAMES.venueBreaker);
    metrics.onBreakerChange('paper', 'open');
    expect(await breaker()).toEqual(['surefill_venue_breaker_open{venue="paper"} 1']);
    metrics.onBreakerChange('paper', 'halfOpen');
    expect(await breaker()).toEqual(['surefill_venue_breaker_open{venue="paper"} 0.5']);
    metrics.onBreakerChange('paper', 'closed');
    expect(await breaker()).toEqual(['surefill_venue_breaker_open{venue="paper"} 0']);
    expect(await shown(METRIC_NAMES.venueCallSeconds)).toContain('surefill_venue_call_duration_seconds_sum{venue="paper",call="send",outcome="unknown"} 1.5');
    expect(await shown(METRIC_NAMES.venueBudgetLeft)).toEqual(['surefill_venue_rate_limit_remaining{venue="paper"} 41']);
    expect(await shown(METRIC_NAMES.streamGaps)).toEqual(['surefill_ws_gap_total{venue="paper"} 1']);
  });
});

test('what an audit found is counted by kind, from zero', async () => {
  const metrics = new WatchMetrics(registry);
  metrics.mismatch('fill', 3);
  expect((await shown(METRIC_NAMES.mismatches)).sort()).toEqual([
    'surefill_reconciliation_mismatch_total{kind="fill"} 3',
    'surefill_reconciliation_mismatch_total{kind="order"} 0',
    'surefill_reconciliation_mismatch_total{kind="position"} 0',
  ]);
});

test('how late triggers were told is counted by venue', async () => {
  const metrics = new WatchMetrics(registry);
  metrics.triggerTold('paper', 30);
  metrics.triggerTold('paper', 1_970);
  metrics.pastUnread('paper');
  const lines = await shown(METRIC_NAMES.triggerLagSeconds);
  expect(lines).toEqual(expect.arrayContaining(['surefill_trigger_lag_seconds_bucket{le="0.05",venue="paper"} 1', 'surefill_trigger_lag_seconds_sum{venue="paper"} 2', 'surefill_trigger_lag_seconds_count{venue="paper"} 2']));
  expect(await shown(METRIC_NAMES.triggerPastUnread)).toContain('surefill_trigger_past_unread_total{venue="paper"} 1');
});

describe('figures that PostgreSQL answers', () => {
  test('are read when they are asked for', async () => {
    let unknown = 2;
    registerStateGauges(registry, { unknownOrders: async () => new Map([['paper', unknown]]), positionsValueUsd: async () => new Map([['paper', 1_234.5]]), unprotectedMs: async () => new Map([['paper', 1_500]]), oldestWebhookSeconds: async () => 12.5, depositsByState: async () => new Map([['MANUAL_REVIEW', 3]]), chainStalledSeconds: async () => new Map([['arbitrum', 90]]), connections: () => 7, onTrouble: () => undefined });
    expect(await shown(METRIC_NAMES.ordersUnknown)).toEqual(['surefill_orders_unknown_state{venue="paper"} 2']);
    unknown = 0;
    expect(await shown(METRIC_NAMES.ordersUnknown)).toEqual(['surefill_orders_unknown_state{venue="paper"} 0']);
    expect(await shown(METRIC_NAMES.positionsValue)).toEqual(['surefill_positions_value_usd{venue="paper"} 1234.5']);
    expect(await shown(METRIC_NAMES.positionsUnprotected)).toEqual(['surefill_positions_unprotected_ms{venue="paper"} 1500']);
    expect(await shown(METRIC_NAMES.socketConnections)).toEqual(['surefill_ws_connections 7']);
    expect(await shown(METRIC_NAMES.webhookOldest)).toEqual(['surefill_webhook_oldest_pending_seconds 12.5']);
    expect(await shown(METRIC_NAMES.chainStalledSeconds)).toEqual(['surefill_chain_stalled_seconds{chain="arbitrum"} 90']);
    expect(await shown(METRIC_NAMES.depositsByState)).toEqual(['surefill_deposits_by_state{state="MANUAL_REVIEW"} 3']);
  });

  test('are left out while it is away, and every other figure stays', async () => {
    const troubles: unknown[] = [];
    const away = async (): Promise<never> => Promise.reject(new Error('connection refused'));
    registerStateGauges(registry, { unknownOrders: away, positionsValueUsd: away, unprotectedMs: away, oldestWebhookSeconds: away, depositsByState: away, chainStalledSeconds: away, connections: () => 1, onTrouble: (error) => troubles.push(error) });
    const page = await registry.metrics();
    expect(page).not.toContain('surefill_orders_unknown_state{');
    expect(page).not.toMatch(/^surefill_webhook_oldest_pending_seconds/m);
    expect(page).toContain('surefill_ws_connections 1');
    expect(page).not.toContain('surefill_deposits_by_state{');
    expect(troubles).toHaveLength(6);
  });
});

test('docs/operations.md lists every figure', () => {
  const page = readFileSync(path.resolve(__dirname, '../../../docs/operations.md'), 'utf8');
  expect(Object.values(METRIC_NAMES).filter((name) => !page.includes(name))).toEqual([]);
});
