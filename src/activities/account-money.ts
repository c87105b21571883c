/**
 * What a look at an account does about money beside its fills: funding is read and booked, and what the venue's balances have
 * beyond the ledger is booked as a transfer - but only once it is certain that no fill or funding is on its way to explain it.
 */
import type { Account } from '../domain/account';
import { decimal, decimalText } from '../domain/decimal';
import type { ReadOptions, Venue, VenueAccountSession, VenueBalance } from '../domain/venue';
import type { AccountWatcherPorts } from './account-ports';
import type { AccountWriter } from './account-writer';

/** Venues book a funding time's payments some minutes after it, and longest where many are held: read again this far back. */
export const FUNDING_OVERLAP_MS = 2 * 3_600_000;

export class AccountMoney {
  /** What the last look found unexplained, by asset. */
  private unexplained: ReadonlyMap<string, string> = new Map();

  constructor(
    private readonly ports: AccountWatcherPorts,
    private readonly venue: Venue,
    private readonly account: Account,
    private readonly session: VenueAccountSession,
    private readonly writer: AccountWriter,
  ) {}

  /** On the first look: balances from before its fills are read. If they stand still meanwhile, what they hold is the opening. */
  async opening(isFirst: boolean, read: () => ReadOptions): Promise<readonly VenueBalance[] | null> {
    return isFirst && this.comparesCash ? this.session.balances(read()) : null;
  }

  /** Every payment since before `readToMs` (the last look's; null: never), to the venue's end. Answers how many were new. */
  async funding(readToMs: number | null, read: () => ReadOptions): Promise<number> {
    if (this.session.fundingPayments === undefined) return 0;
    const sinceMs = Math.max(0, (readToMs ?? Date.parse(this.account.createdAt)) - FUNDING_OVERLAP_MS);
    let booked = 0;
    for (let cursor: string | null = null; ; ) {
      const page = await this.session.fundingPayments(sinceMs, cursor, read());
      booked += await this.ports.watching.applyFunding(this.writer.epoch, this.account.id, page.payments);
      if (page.next === null) return booked;
      cursor = page.next;
    }
  }

  /**
   * Two looks in a row that find the same difference leave nothing that could still explain it: whatever moved the cash between
   * them would have changed it. `opening`: the balances at the beginning of a first look, which serves as the earlier of the two.
   */
  async compare(balances: readonly VenueBalance[], opening: readonly VenueBalance[] | null, atMs: number): Promise<void> {
    if (!this.comparesCash) return;
    const cash = await this.ports.watching.ledgerCash(this.account.id);
    const found = differences(balances, cash);
    const before = opening === null ? this.unexplained : differences(opening, cash);
    const left = new Map(found);
    for (const [asset, amount] of found) {
      if (before.get(asset) !== amount) continue;
      const booked = await this.ports.watching.bookTransfer(this.writer.epoch, this.account.id, { asset, amount, cash: cash.get(asset) ?? '0', atMs });
      if (booked) left.delete(asset);
    }
    this.unexplained = left;
  }

  private get comparesCash(): boolean {
    return this.venue.capabilities.cashBalances === true;
  }
}

/** What each balance has beyond the ledger; assets that agree are absent. */
function differences(balances: readonly VenueBalance[], cash: ReadonlyMap<string, string>): Map<string, string> {
  const totals = new Map(balances.map((balance) => [balance.asset, balance.total]));
  const assets = new Set([...totals.keys(), ...cash.keys()]);
  return new Map([...assets].map((asset) => [asset, decimalText(decimal(totals.get(asset) ?? '0').minus(decimal(cash.get(asset) ?? '0')))] as const).filter(([, amount]) => amount !== '0'));
}
