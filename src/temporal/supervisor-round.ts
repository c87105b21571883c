/**
 * What the owner of a strategy or an order list wants is a row, and its workflow is told by a signal that a crash, or a Temporal that is away,
 * can lose. The sweeper goes round over all that have not ended, page by page, and tells each of a revision that this process has not told:
 * so a workflow that waits for weeks need not look at its row. Memory of one process alone: another tells once more, which is harmless.
 */
export interface Supervised {
  readonly id: string;
  readonly accountId: string;
  readonly revision: number;
}

export interface RoundPorts<Open extends Supervised> {
  /** Those after this one in the order of account and id; null: from the first. At most `limit`. */
  page(after: Supervised | null, limit: number): Promise<readonly Open[]>;
  /** Has its workflow run. */
  ensure(each: Open): Promise<void>;
  tell(each: Open): Promise<void>;
}

export class SupervisorRound<Open extends Supervised> {
  private after: Open | null = null;
  /** What the round before has told. */
  private told: ReadonlyMap<string, number> = new Map();
  /** What this round has met: the others have ended. */
  private met = new Map<string, number>();

  /** `limit`: most that one sweep looks at. */
  constructor(private readonly limit: number) {}

  /** One page; one whose call fails is the first of the next sweep. */
  async sweep(ports: RoundPorts<Open>): Promise<void> {
    const page = await ports.page(this.after, this.limit);
    for (const each of page) {
      await ports.ensure(each);
      if (this.told.get(each.id) !== each.revision) await ports.tell(each);
      this.met.set(each.id, each.revision);
      this.after = each;
    }
    if (page.length === this.limit) return;
    this.told = this.met;
    this.met = new Map();
    this.after = null;
  }
}
