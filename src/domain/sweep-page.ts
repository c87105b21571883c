/** A part of what a sweep goes through, the longest unchanged first: where more wait than one sweep takes, the next begins after the last of this. */

export interface SweepPage {
  readonly limit: number;
  /** Begins after this one; null: at the beginning. */
  readonly after: { readonly updatedAt: string; readonly id: string } | null;
}

/** Goes round: no part is looked at again before all others were, however many never change. */
export class SweepRound<Item extends { readonly updatedAt: string; readonly id: string }> {
  private after: SweepPage['after'] = null;

  constructor(
    private readonly limit: number,
    private readonly read: (page: SweepPage) => Promise<readonly Item[]>,
  ) {}

  async next(): Promise<readonly Item[]> {
    const items = await this.read({ limit: this.limit, after: this.after });
    const last = items.at(-1);
    this.after = items.length < this.limit || last === undefined ? null : { updatedAt: last.updatedAt, id: last.id };
    return items;
  }
}
