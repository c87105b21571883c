/**
 * What the venue still takes of an account's actions, beside the weight of a network address: 10,000 to begin with and one more
 * for each USDC traded. Cancels go on beyond that, to min(L + 100,000, 2 L). Entries leave the last of it to exits; who is
 * over the limit is let in once in ten seconds. Source: the venue's documentation, "Rate limits", address-based limits.
 */
export interface AddressUsage {
  readonly used: number;
  /** L: what the address may ask for in all. */
  readonly cap: number;
}

export interface AddressBudgetOptions {
  readonly nowMs: () => number;
  /** Asks the venue; at most one question at a time, and never on the way of an order. */
  readonly read: () => Promise<AddressUsage>;
  readonly onError: (error: unknown) => void;
}

/** Of the cap, the part that entries never use. */
const RESERVE = 0.05;
/** Asked anew after this, and after so many actions of this process: others sign for the address too. */
const ASK_EVERY_MS = 5 * 60_000;
const ASK_EVERY_ACTIONS = 500;
/** One action in this time once the cap is reached. */
export const EXHAUSTED_EVERY_MS = 10_000;

export class AddressBudget {
  private usage: AddressUsage | null = null;
  private askedAtMs = -Infinity;
  private sinceAsked = 0;
  private asking = false;
  private exhaustedUntilMs = -Infinity;

  constructor(private readonly options: AddressBudgetOptions) {}

  /** How long an entry of `count` orders must wait, ms; 0: it may go. Exits and cancels are never held back here: the venue itself says when. */
  entryWaitMs(count: number): number {
    this.refresh();
    const leftMs = this.exhaustedUntilMs - this.options.nowMs();
    if (leftMs > 0) return leftMs;
    if (this.usage === null) return 0;
    const { used, cap } = this.usage;
    return used + this.sinceAsked + count > cap * (1 - RESERVE) ? EXHAUSTED_EVERY_MS : 0;
  }

  /** Actions that went out. */
  spent(count: number): void {
    this.sinceAsked += count;
  }

  /** The venue said that nothing is left. */
  exhausted(): void {
    this.exhaustedUntilMs = this.options.nowMs() + EXHAUSTED_EVERY_MS;
    this.askedAtMs = -Infinity;
  }

  private refresh(): void {
    const nowMs = this.options.nowMs();
    if (this.asking || (nowMs - this.askedAtMs < ASK_EVERY_MS && this.sinceAsked < ASK_EVERY_ACTIONS)) return;
    this.asking = true;
    this.askedAtMs = nowMs;
    const before = this.sinceAsked;
    this.options
      .read()
      .then(
        (usage) => {
          this.usage = usage;
          this.sinceAsked -= before;
        },
        (error: unknown) => this.options.onError(error),
      )
      .finally(() => (this.asking = false));
  }
}
