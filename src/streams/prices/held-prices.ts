/**
 * What a watcher hears before it has its scope. It is evaluated once the past is read, and each price is news only to what was accepted before
 * it, or last stored: an order fires on no price from before it, and no trail on one from before its mark.
 */
import type { Trigger } from '../../domain/trigger';
import type { TriggerIndex } from '../triggers/trigger-index';

interface Held {
  /** By our clock. */
  readonly observedAtMs: number;
  readonly evaluate: () => void;
}

/** More than this is an outage by itself, and is read back like one. */
const MAX_HELD = 50_000;

export class HeldPrices {
  private readonly held: Held[] = [];
  /** From then on (our clock) more was heard than can be held; null: everything is here. */
  unheldSinceMs: number | null = null;

  constructor(private readonly most: number = MAX_HELD) {}

  add(held: Held): void {
    if (this.unheldSinceMs === null && this.held.length < this.most) this.held.push(held);
    else this.unheldSinceMs ??= held.observedAtMs;
  }

  /** In their order. `begun`: this one counts from here on. */
  hear(index: TriggerIndex, begun: (trigger: Trigger) => void): void {
    const firstMs = this.held[0]?.observedAtMs ?? Infinity;
    const ids: { readonly id: string }[] = [];
    for (const { id, checkpointAtMs } of index.all()) if (checkpointAtMs > firstMs) ids.push({ id });
    const later = index.takeOut(ids).sort((a, b) => a.checkpointAtMs - b.checkpointAtMs);
    let next = 0;
    const putBack = (untilMs: number): void => {
      for (let trigger = later[next]; trigger !== undefined && trigger.checkpointAtMs <= untilMs; trigger = later[next]) {
        next += 1;
        index.putBack(trigger);
        begun(trigger);
      }
    };
    for (const { observedAtMs, evaluate } of this.held) {
      putBack(observedAtMs);
      evaluate();
    }
    putBack(Infinity);
  }
}
