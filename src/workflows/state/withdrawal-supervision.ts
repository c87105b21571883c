/** When a withdrawal's workflow looks at its transaction again, and when it gives up waiting for a second person. Pure: the time is given in. */
import { ENDED_WITHDRAWAL_STATES, type WithdrawalState } from '../../domain/withdrawal';
import type { WithdrawalInput } from '../messages';

export type WithdrawalMove =
  | { readonly kind: 'look'; readonly waitMs: number }
  /** For a word of a person, or the end of its time. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'expire' }
  | { readonly kind: 'end' };

export class WithdrawalSupervision {
  private tries = 0;
  /** Said once: where it changed nothing, somebody was faster, and said so. */
  private expired = false;

  constructor(
    private readonly waits: WithdrawalInput['waits'],
    private readonly approveBeforeMs: number,
    private current: WithdrawalState,
  ) {}

  get state(): WithdrawalState {
    return this.current;
  }

  take(state: WithdrawalState): void {
    if (state !== this.current) this.tries = 0;
    this.current = state;
  }

  looked(): void {
    this.tries += 1;
  }

  didExpire(): void {
    this.expired = true;
  }

  next(nowMs: number): WithdrawalMove {
    if (ENDED_WITHDRAWAL_STATES.has(this.current)) return { kind: 'end' };
    if (this.current === 'AWAITING_APPROVAL') {
      if (nowMs >= this.approveBeforeMs && !this.expired) return { kind: 'expire' };
      return { kind: 'wait', waitMs: Math.max(1, this.approveBeforeMs - nowMs) };
    }
    const { pollMs, maxPollMs } = this.waits;
    // What was just approved goes out at once.
    const isFirst = this.current === 'APPROVED' && this.tries === 0;
    return { kind: 'look', waitMs: isFirst ? 1 : Math.min(pollMs * 2 ** Math.min(this.tries, 30), maxPollMs) };
  }
}
