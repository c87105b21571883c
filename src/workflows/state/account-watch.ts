/** The state of an account's workflow: what it does now and since when. A plain class, so that it is tested without Temporal. */

export type AccountPhase = 'watching' | 'halted';

export interface AccountWatchStatus {
  readonly phase: AccountPhase;
  readonly since: string;
  /** How often the watcher was started since this execution began. */
  readonly starts: number;
  /** The last reason the account was looked at anew on request; null when nobody asked. */
  readonly reconciledFor: string | null;
}

export class AccountWatchState {
  private phase: AccountPhase = 'watching';
  private starts = 0;
  private released = false;
  private reconciledFor: string | null = null;

  constructor(
    private readonly account: { readonly accountId: string; readonly venue: string },
    private since: string,
  ) {}

  watching(at: string): void {
    if (this.phase !== 'watching' || this.starts === 0) this.since = at;
    this.phase = 'watching';
    this.starts += 1;
  }

  /** The venue refuses the key: rests until somebody says that this has changed. */
  halted(at: string): void {
    if (this.phase !== 'halted') this.since = at;
    this.phase = 'halted';
    this.released = false;
  }

  /** Somebody set the account's status. */
  statusChanged(status: string): void {
    if (status !== 'HALTED') this.released = true;
  }

  reconcileAsked(reason: string): void {
    this.reconciledFor = reason;
    this.released = true;
  }

  get mayGoOn(): boolean {
    return this.released;
  }

  status(): AccountWatchStatus {
    const { phase, since, starts, reconciledFor } = this;
    return { phase, since, starts, reconciledFor };
  }

  /** Markdown for the Web UI. */
  details(): string {
    const { accountId, venue } = this.account;
    const words = this.phase === 'watching' ? 'holds the private stream' : 'the venue refuses the account\'s key; give it a new one and set its status';
    return `**${this.phase}** since ${this.since}: account \`${accountId}\` on ${venue}; ${words}`;
  }
}
