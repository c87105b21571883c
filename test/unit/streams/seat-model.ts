/** The store of seats in memory, with a clock, outages and lost answers, and processes over it that keep seats, crash and are stopped for a while. */
import { DomainError } from '../../../src/domain/errors';
import { seatKey, type Seat, type SeatHolder, type SeatRequest, type SeatStore } from '../../../src/domain/seats';
import { SeatKeeper } from '../../../src/streams/bus/seat-keeper';

export const LEASE_MS = 15_000;
/** A sign of life is due so often. */
export const BEAT_MS = LEASE_MS / 3;

/** What PostgreSQL does (src/store/seats.ts), as test/contract/store/seats.test.ts holds it to. */
export class SeatTable implements SeatStore {
  nowMs = 0;
  isAway = false;
  /** The next change is done, and its answer lost. */
  losesAnswer = false;
  readonly holders = new Map<string, { expiresAtMs: number; place: string | null }>();
  readonly rows = new Map<string, Seat & { readonly holderId: string }>();

  async enter({ id, place, leaseMs }: SeatHolder, seats: readonly Seat[], isFirst: boolean): Promise<void> {
    this.reached();
    if (isFirst && place !== null) for (const [other, { place: at }] of [...this.holders]) if (at === place && other !== id) this.forget(other);
    this.holders.set(id, { expiresAtMs: this.nowMs + leaseMs, place });
    for (const seat of seats) this.put(id, seat);
  }

  async beat({ id, leaseMs }: SeatHolder, forgetLapsed: boolean): Promise<boolean> {
    this.reached();
    const known = this.renew(id, leaseMs);
    if (forgetLapsed) for (const [other, { expiresAtMs }] of [...this.holders]) if (expiresAtMs < this.nowMs) this.forget(other);
    return known;
  }

  async change({ id, leaseMs }: SeatHolder, given: readonly Seat[], wanted: readonly SeatRequest[]): Promise<readonly boolean[] | null> {
    this.reached();
    if (!this.renew(id, leaseMs)) return null;
    for (const seat of given) this.rows.delete(`${id} ${seatKey(seat)}`);
    const granted = wanted.map((seat) => {
      const names = this.names(seat.scope);
      const fits = names.has(seat.name) || names.size < seat.max;
      if (fits) this.put(id, seat);
      return fits;
    });
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw away();
    }
    return granted;
  }

  async leave({ id }: SeatHolder): Promise<void> {
    this.reached();
    this.forget(id);
  }

  names(scope: string): Set<string> {
    return new Set([...this.rows.values()].filter((row) => row.scope === scope).map(({ name }) => name));
  }

  of(holderId: string): string[] {
    return [...this.rows.values()].filter((row) => row.holderId === holderId).map(seatKey).sort();
  }

  private reached(): void {
    if (this.isAway) throw away();
  }

  private renew(id: string, leaseMs: number): boolean {
    const holder = this.holders.get(id);
    if (holder !== undefined) holder.expiresAtMs = this.nowMs + leaseMs;
    return holder !== undefined;
  }

  private put(holderId: string, { scope, name }: Seat): void {
    this.rows.set(`${holderId} ${seatKey({ scope, name })}`, { scope, name, holderId });
  }

  private forget(id: string): void {
    this.holders.delete(id);
    for (const [key, row] of [...this.rows]) if (row.holderId === id) this.rows.delete(key);
  }
}

function away(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached');
}

/** A process: what it was granted and has not given back is what its users really have. */
export class SeatedProcess {
  readonly seated: Seat[] = [];
  readonly keeper: SeatKeeper;
  readonly holder: SeatHolder;
  isStopped = false;
  private count = 0;
  private isDead = false;

  constructor(id: string, place: string | null, table: SeatTable, through: (store: SeatStore) => SeatStore) {
    this.holder = { id, place, leaseMs: LEASE_MS };
    const reached = <T>(call: () => Promise<T>): Promise<T> => (this.isDead ? Promise.reject(away()) : call());
    const store = through({
      enter: (...args) => reached(() => table.enter(...args)),
      beat: (...args) => reached(() => table.beat(...args)),
      change: (...args) => reached(() => table.change(...args)),
      leave: (...args) => reached(() => table.leave(...args)),
    });
    this.keeper = new SeatKeeper({ holder: this.holder, store: () => store, nowMs: () => table.nowMs, onError: () => undefined });
  }

  /** null: nobody could tell. */
  async take(scope: string, max: number): Promise<boolean | null> {
    const seat = { scope, name: `${this.holder.id}/${(this.count += 1)}` };
    try {
      const granted = await this.keeper.take({ ...seat, max });
      if (granted) this.seated.push(seat);
      return granted;
    } catch (error) {
      if (error instanceof DomainError) return null;
      throw error;
    }
  }

  giveBack(which: number): void {
    const [seat] = this.seated.splice(which % Math.max(this.seated.length, 1), 1);
    if (seat !== undefined) this.keeper.giveBack(seat);
  }

  /** SIGKILL: it says nothing more. */
  async crash(): Promise<void> {
    this.isDead = true;
    await this.keeper.close();
  }
}
