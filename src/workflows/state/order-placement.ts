/** The state of one placing: a plain class, so that it is tested without Temporal. */
import type { RecordedGroup, RecordedItem } from '../../domain/order-store';
import type { OrderIntent } from '../../domain/order';
import { describeIntent } from '../../domain/order-summary';
import type { OrderOutcome, OrderProgress } from '../messages';

export class OrderPlacement {
  private phase: OrderProgress['phase'] = 'recording';
  private items: readonly RecordedItem[] = [];
  private readonly open = new Set<string>();
  private answeredAll = false;

  constructor(private readonly intents: readonly OrderIntent[]) {}

  recorded(group: RecordedGroup): void {
    this.items = group.items;
    for (const call of group.calls) for (const id of call.orderIds) this.open.add(id);
    // In no call: it waits for its signer, and is pursued like any other whose outcome is open.
    for (const { orderId, verdict } of group.items) if (verdict === 'accepted') this.open.add(orderId);
    this.phase = 'sending';
  }

  /** A venue call ended; these orders of it are still open. */
  answered(orderIds: readonly string[], stillOpen: readonly string[]): void {
    for (const id of orderIds) if (!stillOpen.includes(id)) this.open.delete(id);
  }

  /** Every call had its first answer. */
  firstAnswers(): void {
    this.answeredAll = true;
    this.phase = this.open.size > 0 ? 'resolving' : 'done';
  }

  settled(orderId: string): void {
    this.open.delete(orderId);
    if (this.open.size === 0) this.phase = 'done';
  }

  get hasFirstAnswers(): boolean {
    return this.answeredAll;
  }

  get openOrderIds(): readonly string[] {
    return [...this.open];
  }

  outcome(): OrderOutcome {
    return { items: this.items, openOrderIds: this.openOrderIds };
  }

  progress(): OrderProgress {
    return { phase: this.phase, items: this.items, openOrderIds: this.openOrderIds };
  }

  /** Markdown for the Web UI. */
  details(): string {
    const denied = this.items.filter((item) => item.verdict === 'denied').length;
    const duplicates = this.items.filter((item) => item.verdict === 'duplicate').length;
    const lines = [`**${this.phase}**: ${this.intents.length} order(s), ${denied} denied, ${duplicates} duplicate, ${this.open.size} open`];
    for (const intent of this.intents.slice(0, DETAIL_LINES)) {
      lines.push(`- \`${intent.clientOrderId}\` ${describeIntent(intent)}${this.open.has(intent.id) ? ' - outcome open' : ''}`);
    }
    if (this.intents.length > DETAIL_LINES) lines.push(`- and ${this.intents.length - DETAIL_LINES} more`);
    return lines.join('\n');
  }
}

/** More lines than this help nobody and grow the history. */
const DETAIL_LINES = 20;
