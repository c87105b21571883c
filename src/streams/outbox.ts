/** What was published while the bus was away: bounded, because it may be away for long. */
import { isRetained } from './bus/topics';

/** Of retained topics the newest counts, so one each; a venue universe is about a thousand markets with price and book. */
const MAX_RETAINED_TOPICS = 10_000;
/** Of passing moments, the newest: older ones tell nothing once they are late. */
const MAX_PASSING = 1_000;

export const TOO_LONG_AWAY = 'more was published while the bus was away than is kept';

export class Outbox {
  private readonly newest = new Map<string, { readonly order: number; readonly text: string }>();
  private passing: { readonly topic: string; readonly text: string }[] = [];
  private lost = 0;

  /** `order` rises with each publication: what comes back after a failed try never replaces something newer. */
  put(topic: string, text: string, order: number): void {
    if (!isRetained(topic)) {
      this.passing.push({ topic, text });
      if (this.passing.length > MAX_PASSING) {
        this.passing.shift();
        this.lost += 1;
      }
      return;
    }
    const known = this.newest.get(topic);
    if (known ? known.order < order : this.newest.size < MAX_RETAINED_TOPICS) this.newest.set(topic, { order, text });
    else if (!known) this.lost += 1;
  }

  get empty(): boolean {
    return this.newest.size === 0 && this.passing.length === 0 && this.lost === 0;
  }

  /** Hands everything over, and says how many were given up. */
  drain(send: (topic: string, text: string, order: number) => void): number {
    const { lost, passing } = this;
    const newest = [...this.newest];
    this.newest.clear();
    this.passing = [];
    this.lost = 0;
    for (const [topic, { text, order }] of newest) send(topic, text, order);
    for (const { topic, text } of passing) send(topic, text, 0);
    return lost;
  }
}
