/**
 * Writes what the venue says of one account. A message that cannot be written must not keep the others out for ever: when a
 * list fails, its items are tried alone, and what fails alone is told aloud and left to the next audit.
 */
import { DomainError } from '../domain/errors';
import { EpochLost, type AppliedOrder, type WriterEpoch } from '../domain/order-store';
import type { VenueFill, VenueOrder } from '../domain/venue';
import type { InboxBatch } from './account-inbox';
import type { AccountWatcherPorts } from './account-ports';

export class AccountWriter {
  /** Messages that were told to be unwritable; each is told once. */
  private readonly told = new Set<string>();
  private skippedCount = 0;

  constructor(
    private readonly ports: AccountWatcherPorts,
    private readonly accountId: string,
    readonly epoch: WriterEpoch,
  ) {}

  /** How many messages could not be written so far. */
  get skipped(): number {
    return this.skippedCount;
  }

  /** Views that make orders known come before their fills; views that end them come after. Answers how many fills wait for a name. */
  async batch(batch: InboxBatch): Promise<{ readonly deferred: number }> {
    const { watching } = this.ports;
    await this.orders(batch.orders.filter((order) => order.status === 'open'), 'stream');
    const { deferred } = await this.fills(batch.fills);
    await this.orders(batch.orders.filter((order) => order.status !== 'open'), 'stream');
    if (batch.fundings.length > 0) await watching.applyFunding(this.epoch, this.accountId, batch.fundings);
    for (const what of batch.drifts) await this.ports.accounts.alert(this.accountId, { kind: 'schemaDrift', what }, this.epoch);
    for (const { atMs, positions, balances } of batch.words) {
      if (positions.length > 0) await watching.putPositions(this.epoch, this.accountId, positions, atMs);
      if (balances.length > 0) await watching.putBalances(this.epoch, this.accountId, balances, atMs);
    }
    return { deferred };
  }

  /** How many of them told something new. */
  async orders(orders: readonly VenueOrder[], source: 'stream' | 'query'): Promise<number> {
    const apply = (some: readonly VenueOrder[]): Promise<readonly AppliedOrder[]> => this.ports.watching.applyVenueOrders(this.epoch, this.accountId, some, source);
    const applied = await this.each(orders, apply, (order) => `order ${order.venueOrderId}`);
    return applied.flat().filter((order) => order.changed).length;
  }

  async fills(fills: readonly VenueFill[]): Promise<{ readonly newFills: number; readonly deferred: number }> {
    const answers = await this.each(fills, (some) => this.ports.watching.applyFills(this.epoch, this.accountId, some), (fill) => `fill ${fill.venueFillId} of order ${fill.venueOrderId}`);
    return { newFills: sum(answers.map((answer) => answer.newFills)), deferred: sum(answers.map((answer) => answer.deferred)) };
  }

  private async each<Item, Answer>(items: readonly Item[], apply: (some: readonly Item[]) => Promise<Answer>, name: (item: Item) => string): Promise<Answer[]> {
    if (items.length === 0) return [];
    try {
      return [await apply(items)];
    } catch (error) {
      if (!isAboutTheItems(error)) throw error;
    }
    const answers: Answer[] = [];
    for (const item of items) {
      try {
        answers.push(await apply([item]));
      } catch (error) {
        if (!isAboutTheItems(error)) throw error;
        this.skippedCount += 1;
        await this.tell(name(item), error);
      }
    }
    return answers;
  }

  private async tell(what: string, error: unknown): Promise<void> {
    this.ports.onTrouble(this.accountId, error);
    if (this.told.has(what)) return;
    this.told.add(what);
    await this.ports.accounts.alert(this.accountId, { kind: 'notApplied', what, reason: error instanceof Error ? error.message : String(error) }, this.epoch);
  }
}

/** Not the database being away, nor a successor at work, nor the account being gone: then nothing can be written. */
function isAboutTheItems(error: unknown): boolean {
  if (error instanceof EpochLost) return false;
  return !(error instanceof DomainError) || (error.code !== 'SERVICE_UNAVAILABLE' && error.code !== 'NOT_FOUND');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
