/** When the workflow of a deposit's order looks again. Pure. */
import { ENDED_FUNDED_ORDER_STATES, type FundedOrderState } from '../../domain/funded-order';
import type { FundedOrderInput } from '../messages';

export type FundedOrderMove = { readonly kind: 'look'; readonly waitMs: number } | { readonly kind: 'end' };

export class FundedOrderSupervision {
  private tries = 0;

  constructor(
    private readonly waits: FundedOrderInput['waits'],
    private current: FundedOrderState,
  ) {}

  get state(): FundedOrderState {
    return this.current;
  }

  /** What has just moved moves on at once: the money lies at the venue, and its order's price is of this moment. */
  take(state: FundedOrderState): void {
    this.tries = state === this.current ? this.tries + 1 : 0;
    this.current = state;
  }

  next(): FundedOrderMove {
    if (ENDED_FUNDED_ORDER_STATES.has(this.current)) return { kind: 'end' };
    const { pollMs, maxPollMs } = this.waits;
    return { kind: 'look', waitMs: this.tries === 0 ? 1 : Math.min(pollMs * 2 ** Math.min(this.tries - 1, 30), maxPollMs) };
  }
}
