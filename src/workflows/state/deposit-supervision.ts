/** When a deposit's workflow looks again, at what, and when it gives up waiting. Pure: the time is given in. */
import { ENDED_DEPOSIT_STATES, UNSENT_DEPOSIT_STATES, type DepositState } from '../../domain/deposit';
import type { DepositMemory, DepositWaits } from '../messages';

export type DepositMove =
  | { readonly kind: 'look'; readonly at: 'source' | 'arrivals'; readonly waitMs: number }
  /** Nothing to look at: only a wish of the caller, or the end of the wait. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'note'; readonly fact: 'expired' | 'graceOver' }
  | { readonly kind: 'end' };

export class DepositSupervision {
  private state: DepositState;
  private sinceMs: number;
  private wasSent: boolean;
  private tries = 0;
  /** A fact that changed nothing is not told again. */
  private noted = false;

  constructor(
    private readonly waits: DepositWaits,
    memory: DepositMemory,
  ) {
    ({ state: this.state, sinceMs: this.sinceMs, wasSent: this.wasSent } = memory);
  }

  get memory(): DepositMemory {
    return { state: this.state, sinceMs: this.sinceMs, wasSent: this.wasSent };
  }

  take(state: DepositState, nowMs: number): void {
    if (state === 'SOURCE_SUBMITTED') this.wasSent = true;
    // Moving between waiting states does not begin the wait anew: a bridge that says PENDING, then NOT_FOUND, has said nothing.
    if (phaseOf(state) !== phaseOf(this.state)) [this.sinceMs, this.tries, this.noted] = [nowMs, 0, false];
    this.state = state;
  }

  looked(): void {
    this.tries += 1;
  }

  didNote(): void {
    this.noted = true;
  }

  waitedMs(nowMs: number): number {
    return nowMs - this.sinceMs;
  }

  next(nowMs: number): DepositMove {
    const { waits } = this;
    const waited = this.waitedMs(nowMs);
    const backOffMs = Math.min(waits.pollMs * 2 ** Math.min(this.tries, 30), waits.maxPollMs);
    const phase = phaseOf(this.state);
    const isOver = waited >= (phase === 'unsent' && !this.wasSent ? waits.expireAfterMs : waits.graceMs);
    switch (phase) {
      case 'unsent':
        if (isOver && !this.noted) return { kind: 'note', fact: 'expired' };
        return this.wasSent ? { kind: 'look', at: 'source', waitMs: backOffMs } : { kind: 'wait', waitMs: Math.max(1, waits.expireAfterMs - waited) };
      case 'sent':
      case 'moving':
        if (isOver && !this.noted) return { kind: 'note', fact: 'graceOver' };
        return { kind: 'look', at: phase === 'sent' ? 'source' : 'arrivals', waitMs: backOffMs };
      case 'review':
        return { kind: 'look', at: 'arrivals', waitMs: waits.maxPollMs };
      case 'counted':
        return waited >= waits.watchAfterMs ? { kind: 'end' } : { kind: 'look', at: 'arrivals', waitMs: Math.min(backOffMs, Math.max(1, waits.watchAfterMs - waited)) };
      case 'ended':
        return { kind: 'end' };
    }
  }
}

type Phase = 'unsent' | 'sent' | 'moving' | 'review' | 'counted' | 'ended';

function phaseOf(state: DepositState): Phase {
  if (UNSENT_DEPOSIT_STATES.has(state)) return 'unsent';
  if (state === 'SOURCE_SUBMITTED') return 'sent';
  if (state === 'MANUAL_REVIEW' || state === 'PARTIAL_REVIEW') return 'review';
  if (state === 'CREDITED' || state === 'REFUNDED') return 'counted';
  return ENDED_DEPOSIT_STATES.has(state) ? 'ended' : 'moving';
}
