/**
 * Transactions of one account take turns inside a process. They would wait for each other at the account's row anyway, but each
 * with a connection of the pool in its hand: a busy account would then keep every other one, and every fence check, waiting.
 */
import { DomainError } from '../../domain/errors';

/** Waiting costs memory only; a caller that waits longer has given up by itself, and repeats what it asked. */
const MAX_WAIT_MS = 5_000;
/** Per account. More than this cannot be served within the wait. */
const MAX_WAITING = 2_000;

interface Waiter {
  readonly go: () => void;
  readonly timer: NodeJS.Timeout;
}

export class Turns {
  /** An entry exists while somebody has the turn; the list is who waits for it, the longest first. */
  private readonly waiting = new Map<string, Waiter[]>();

  /** Runs `work` when it is its turn for every one of these accounts. Throws SERVICE_UNAVAILABLE when that takes too long. */
  async inTurn<T>(accountIds: readonly string[], work: () => Promise<T>): Promise<T> {
    const taken: string[] = [];
    try {
      // In one order, like the row locks: two groups over the same accounts cannot wait for each other in a circle.
      for (const accountId of [...new Set(accountIds)].sort()) {
        await this.take(accountId);
        taken.push(accountId);
      }
      return await work();
    } finally {
      for (const accountId of taken) this.pass(accountId);
    }
  }

  private take(accountId: string): Promise<void> {
    const queue = this.waiting.get(accountId);
    if (queue === undefined) {
      this.waiting.set(accountId, []);
      return Promise.resolve();
    }
    if (queue.length >= MAX_WAITING) return Promise.reject(tooBusy(accountId));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        queue.splice(queue.findIndex((waiter) => waiter.timer === timer), 1);
        reject(tooBusy(accountId));
      }, MAX_WAIT_MS);
      queue.push({ go: resolve, timer });
    });
  }

  private pass(accountId: string): void {
    const next = this.waiting.get(accountId)?.shift();
    if (next === undefined) {
      this.waiting.delete(accountId);
      return;
    }
    clearTimeout(next.timer);
    next.go();
  }
}

function tooBusy(accountId: string): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', `account ${accountId} has too much to write at the moment`, { retryAfterSeconds: 1 });
}
