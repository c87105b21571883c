/**
 * Who may use a connection for sending. Waiting happens here and not inside the HTTP pool, so that an entry that finds no
 * connection is refused before anything is sent, and an exit finds one that entries can never take.
 */

export interface SlotRule {
  readonly total: number;
  /** Of the total, the part only exits may use. */
  readonly reservedForExits: number;
}

interface Waiter {
  readonly priority: 'entry' | 'exit';
  readonly grant: (release: () => void) => void;
}

export class ConnectionSlots {
  private used = 0;
  private readonly waiting = new Set<Waiter>();

  constructor(private readonly rule: SlotRule) {
    if (rule.total <= rule.reservedForExits) throw new RangeError('connections must outnumber those reserved for exits');
  }

  /** The release function of a slot, or null when none came free within `maxWaitMs`. */
  acquire(priority: 'entry' | 'exit', maxWaitMs: number): Promise<(() => void) | null> {
    if (this.free(priority)) return Promise.resolve(this.take());
    if (maxWaitMs <= 0) return Promise.resolve(null);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        priority,
        grant: (release) => {
          clearTimeout(timer);
          resolve(release);
        },
      };
      const timer = setTimeout(() => {
        this.waiting.delete(waiter);
        resolve(null);
      }, maxWaitMs);
      this.waiting.add(waiter);
    });
  }

  private free(priority: 'entry' | 'exit'): boolean {
    return this.used < this.rule.total - (priority === 'exit' ? 0 : this.rule.reservedForExits);
  }

  private take(): () => void {
    this.used += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.used -= 1;
      this.hand();
    };
  }

  /** Exits first, then whoever waited longest. */
  private hand(): void {
    for (const priority of ['exit', 'entry'] as const) {
      for (const waiter of this.waiting) {
        if (waiter.priority !== priority || !this.free(priority)) continue;
        this.waiting.delete(waiter);
        waiter.grant(this.take());
        return;
      }
    }
  }
}
