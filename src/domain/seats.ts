/**
 * Seats: places of which only so many may be taken at once, over all processes. A user's sockets sit in them, and the users whom a
 * venue lets one network address listen to. docs/decisions/seats.md.
 */

export interface Seat {
  /** What is bounded: `sockets/<user id>`, `listeners/<venue>`. */
  readonly scope: string;
  /** Who sits there. The same name in two processes is one seat taken. */
  readonly name: string;
}

export interface SeatRequest extends Seat {
  /** So many may be taken in its scope, whoever holds them. */
  readonly max: number;
}

/** What a process asks for seats. */
export interface Seats {
  /** false: all are taken. Throws RangeError for a seat that this process has, and SERVICE_UNAVAILABLE where nobody can tell. */
  take(request: SeatRequest): Promise<boolean>;
  /** Never fails: what could not be told now is told later. A seat that is not held is nothing to give back. */
  giveBack(seat: Seat): void;
}

/** A process that holds seats. */
export interface SeatHolder {
  /** Of this life of the process. */
  readonly id: string;
  /** Where only one process can be at a time, such as an address it listens on: whoever comes next there knows that this one is gone. null: no such place. */
  readonly place: string | null;
  /** Without a sign of life for so long, others may take its seats. */
  readonly leaseMs: number;
}

/** Where all processes keep their seats. Each call is one transaction. */
export interface SeatStore {
  /** Takes these seats, whatever is left: at its beginning none, and what it had once others have forgotten it. `isFirst`: its place's last holder is gone. */
  enter(holder: SeatHolder, seats: readonly Seat[], isFirst: boolean): Promise<void>;
  /** A sign of life. `forgetLapsed`: whose lease has ended loses its seats. false: the holder itself was forgotten. */
  beat(holder: SeatHolder, forgetLapsed: boolean): Promise<boolean>;
  /** Gives back, then takes, in this order; answers each request. null: the holder was forgotten, and nothing is changed. */
  change(holder: SeatHolder, given: readonly Seat[], wanted: readonly SeatRequest[]): Promise<readonly boolean[] | null>;
  /** Gives all back. */
  leave(holder: SeatHolder): Promise<void>;
}

export function seatKey({ scope, name }: Seat): string {
  return JSON.stringify([scope, name]);
}

/** The seats of a process that is alone: what the shared ones come to with one holder. */
export class OneProcessSeats implements Seats {
  private readonly taken = new Map<string, Set<string>>();

  async take({ scope, name, max }: SeatRequest): Promise<boolean> {
    const names = this.taken.get(scope) ?? new Set();
    if (names.has(name)) throw new RangeError(`${name} has its seat of ${scope} already`);
    if (names.size >= max) return false;
    this.taken.set(scope, names.add(name));
    return true;
  }

  giveBack({ scope, name }: Seat): void {
    const names = this.taken.get(scope);
    names?.delete(name);
    if (names?.size === 0) this.taken.delete(scope);
  }
}
