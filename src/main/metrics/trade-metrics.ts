/**
 * Orders, fills and refusals, counted from the events that this process committed: each event is one process's, so the sum
 * over processes counts everything once. What a restored process committed before is in its earlier life's figures.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { StreamEvent } from '../../domain/events';
import type { Fill, Order } from '../../domain/order';
import { METRIC_NAMES } from './names';

/** From a venue beside us to the wait for evidence. */
const ACK_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];

type Outcome = 'acknowledged' | 'rejected' | 'denied' | 'unknown';

export class TradeMetrics {
  private readonly submitted: Counter<'venue' | 'type' | 'outcome'>;
  private readonly acknowledged: Histogram<'venue'>;
  private readonly blocks: Counter<'code'>;
  private readonly fills: Counter<'venue' | 'side'>;
  private readonly volume: Counter<'venue' | 'symbol'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.submitted = new Counter({
      name: METRIC_NAMES.ordersSubmitted,
      help: 'Orders by their first outcome (acknowledged, rejected, denied, unknown); one that was unknown counts again when evidence ends that.',
      labelNames: ['venue', 'type', 'outcome'],
      registers,
    });
    this.acknowledged = new Histogram({ name: METRIC_NAMES.orderAckSeconds, help: 'From the recorded intent to the venue\'s acknowledgement.', labelNames: ['venue'], buckets: ACK_BUCKETS_SECONDS, registers });
    this.blocks = new Counter({ name: METRIC_NAMES.riskBlocks, help: 'Orders that our own checks denied, by code.', labelNames: ['code'], registers });
    this.fills = new Counter({ name: METRIC_NAMES.fills, help: 'Fills recorded.', labelNames: ['venue', 'side'], registers });
    this.volume = new Counter({ name: METRIC_NAMES.tradeVolume, help: 'Price times quantity of the fills recorded, in the market\'s quote currency.', labelNames: ['venue', 'symbol'], registers });
  }

  readonly onCommitted = (events: readonly StreamEvent[]): void => {
    // One instant may bring an order's acknowledgement and its fills, each with an event.
    const counted = new Set<string>();
    for (const { type, at, data } of events) {
      if (type === 'fill.created') this.fill(data['fill'] as Fill);
      else if (type.startsWith('order.') && type !== 'order.submitting') this.order(type, at, data['order'] as Order | undefined, counted);
    }
  };

  private order(type: StreamEvent['type'], at: string, order: Order | undefined, counted: Set<string>): void {
    if (order === undefined || order.origin === 'EXTERNAL') return;
    if (type === 'order.denied') {
      this.count(order, 'denied');
      this.blocks.inc({ code: order.reasonCode ?? 'OTHER' });
    } else if (type === 'order.rejected') this.count(order, 'rejected');
    else if (type === 'order.unknown') this.count(order, 'unknown');
    else if (order.acknowledgedAt === at && ACKNOWLEDGING.has(type) && !counted.has(order.id)) {
      counted.add(order.id);
      this.count(order, 'acknowledged');
      this.acknowledged.observe({ venue: order.venue }, Math.max(0, Date.parse(at) - Date.parse(order.createdAt)) / 1_000);
    }
  }

  private count({ venue, type }: Order, outcome: Outcome): void {
    this.submitted.inc({ venue, type, outcome });
  }

  private fill({ venue, symbol, side, price, quantity }: Fill): void {
    this.fills.inc({ venue, side });
    // A figure to look at, not money: the ledger keeps that, in decimals.
    this.volume.inc({ venue, symbol }, Number(price) * Number(quantity));
  }
}

/** The events of an order's first appearance at the venue, whatever state it has by then. */
const ACKNOWLEDGING: ReadonlySet<StreamEvent['type']> = new Set(['order.working', 'order.partiallyFilled', 'order.filled', 'order.canceled', 'order.expired']);
