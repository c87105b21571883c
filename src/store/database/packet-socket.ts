/**
 * A connection to PostgreSQL that sends what one turn of the event loop asks as one packet. The driver corks its connection for each statement
 * by itself, and each is a system call here and a wake-up there: two dozen of both for the answers of eight venue calls that share a transaction.
 */
import { Socket } from 'node:net';

export class PacketSocket extends Socket {
  private gathering = false;

  /** Called before each prepared statement; the first call of a turn holds the packet until all that is ready to run has run. Nothing waits by a clock. */
  override cork(): void {
    super.cork();
    if (this.gathering) return;
    this.gathering = true;
    super.cork();
    // After the promises that are settled by now: who was waiting for them may ask next.
    queueMicrotask(() => process.nextTick(() => this.release()));
  }

  private release(): void {
    this.gathering = false;
    this.uncork();
  }
}
