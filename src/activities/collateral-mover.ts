/**
 * Records a collateral move and pursues it to evidence. Its bytes are signed once, under the signer's nonces, and stored before any of
 * them leaves; what may have left is asked for before the same bytes are sent again.
 */
import { venueMoveOf, type CollateralMove, type MoveReply, type MoveState } from '../domain/collateral-move';
import { nextMoveStep, type MoveFact, type MoveRecord } from '../domain/collateral-move-state';
import type { Clock } from '../domain/clock';
import { DomainError, type ErrorCode } from '../domain/errors';
import type { SignedRequest, Venue, VenueAccountSession, VenueCredentials, VenueMoves } from '../domain/venue';
import { VenueError, VenueRefused } from '../domain/venue-errors';
import { VENUE_SHARE_MS } from '../temporal/activity-options';
import { leavesOutcomeOpen, reasonCodeOf } from './answer-evidence';
import { failureOf } from './attempt-sender';

/** The right to send a move's bytes, taken in the database. */
export interface MoveSend {
  readonly request: SignedRequest;
  /** Its number, from 1. */
  readonly send: number;
  /** Earlier ones of them may have left. */
  readonly doubtedBefore: boolean;
}

export interface KnownMove {
  readonly move: CollateralMove;
  readonly record: MoveRecord;
  readonly basis: string;
  readonly nonce: string | null;
}

export interface MoverPorts {
  readonly clock: Clock;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly moves: {
    find(id: string): Promise<KnownMove | null>;
    /** The move with its bytes; the one that is there where the id is known. */
    record(move: CollateralMove, grounds: { readonly basis: string; readonly readAtMs: number; readonly recordBeforeMs: number }): Promise<CollateralMove>;
    /** null: it has ended. */
    takeSend(id: string): Promise<MoveSend | null>;
    learn(id: string, fact: MoveFact): Promise<CollateralMove>;
  };
  credentials(accountId: string): Promise<VenueCredentials>;
}

/** One read of the venue. */
const READ_MS = 3_000;

export class CollateralMover {
  constructor(private readonly ports: MoverPorts) {}

  /** Until `recordBeforeMs` a venue that cannot be asked is asked again; then nothing was done, and that is the answer. */
  async record(move: CollateralMove, recordBeforeMs: number, signal: AbortSignal): Promise<MoveReply> {
    const known = await this.ports.moves.find(move.id);
    if (known !== null) return { state: known.move.state, refused: null };
    try {
      const { moves } = await this.session(move);
      const readAtMs = this.ports.clock.nowMs();
      const basis = await moves.basis(venueMoveOf(move), reading(signal));
      if (this.ports.clock.nowMs() > recordBeforeMs) return refused(move, 'VENUE_UNAVAILABLE', `${move.venue} could not be asked in time; nothing was sent`);
      return { state: (await this.ports.moves.record(move, { basis, readAtMs, recordBeforeMs })).state, refused: null };
    } catch (error) {
      if (error instanceof VenueRefused) return refused(move, 'VENUE_REJECTED', error.message, { venueCode: error.venueCode });
      if (error instanceof DomainError && error.code !== 'SERVICE_UNAVAILABLE') return refused(move, error.code, error.message, error.details);
      if (error instanceof VenueError && this.ports.clock.nowMs() > recordBeforeMs) return refused(move, 'VENUE_UNAVAILABLE', `${error.message}; nothing was sent`);
      throw error;
    }
  }

  /** One look, and one send where it is needed. A database that was restored may have lost the move, and its bytes with it: then nothing is sent any more. */
  async pursue(id: string, signal: AbortSignal): Promise<MoveState> {
    const found = await this.ports.moves.find(id);
    if (found === null) return 'UNRESOLVED';
    let known = found;
    const { venue, moves, session } = await this.session(known.move);
    for (let asked = false; ; ) {
      const venueTimeMs = await venue.venueTimeMs(reading(signal));
      switch (nextMoveStep(known.record, venueTimeMs, asked)) {
        case 'end':
        case 'wait':
          return known.move.state;
        case 'timeOver':
          return (await this.ports.moves.learn(id, { kind: 'timeOver' })).state;
        case 'ask': {
          const outcome = await moves.outcome(venueMoveOf(known.move), known.basis, known.nonce, reading(signal));
          const finalAfterMs = venue.capabilities.absenceFinalAfterMs;
          // Where absence is never final, neither is what was not seen.
          if (outcome === 'applied') return (await this.ports.moves.learn(id, { kind: 'applied' })).state;
          if (finalAfterMs !== null) await this.ports.moves.learn(id, { kind: outcome, venueTimeMs, finalAfterMs });
          asked = true;
          known = await this.known(id);
          break;
        }
        case 'send': {
          // Counted from before the right is taken: a process that stands still between the two sends nothing when it wakes.
          const sendBeforeMs = this.ports.clock.nowMs() + VENUE_SHARE_MS;
          const right = await this.ports.moves.takeSend(id);
          return right === null ? (await this.known(id)).move.state : (await this.ports.moves.learn(id, await this.send(session, known.move, right, sendBeforeMs, signal))).state;
        }
      }
    }
  }

  private async send(session: VenueAccountSession, move: CollateralMove, { request, send, doubtedBefore }: MoveSend, sendBeforeMs: number, signal: AbortSignal): Promise<MoveFact> {
    const maySend = () => Promise.resolve(!signal.aborted && this.ports.clock.nowMs() < sendBeforeMs);
    // Margin that is added keeps a position alive, as an exit does.
    const priority = move.kind === 'margin' && !move.amount.startsWith('-') ? 'exit' : 'entry';
    try {
      const { items: [item] } = await session.send(request, { maySend, sendBeforeMs, signal, priority });
      if (item?.kind === 'refused') return refusalFact(item.code, `${item.venueCode}: ${item.message}`);
      return item === undefined ? { kind: 'lost', message: 'the answer says nothing of it' } : { kind: 'applied' };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'refused') return refusalFact(failure.code, failure.message);
      if (failure.kind === 'unknown') return { kind: 'lost', message: failure.message };
      return { kind: 'notSent', send, doubtedBefore, message: failure.message };
    }

    function refusalFact(code: string, message: string): MoveFact {
      return leavesOutcomeOpen(code) ? { kind: 'lost', message } : { kind: 'refused', send, doubtedBefore, code: reasonCodeOf(code), message };
    }
  }

  private async known(id: string): Promise<KnownMove> {
    const known = await this.ports.moves.find(id);
    if (known === null) throw new Error(`collateral move ${id} is not recorded`);
    return known;
  }

  private async session({ venue: name, accountId }: CollateralMove): Promise<{ venue: Venue; session: VenueAccountSession; moves: VenueMoves }> {
    const venue = this.ports.venues.get(name);
    if (venue === undefined) throw new DomainError('VENUE_UNAVAILABLE', `venue ${name} is not configured`);
    const session = venue.session(await this.ports.credentials(accountId));
    if (session.moves === undefined) throw new DomainError('UNPROCESSABLE', `${name} moves no collateral`);
    return { venue, session, moves: session.moves };
  }
}

function reading(signal: AbortSignal): { readonly signal: AbortSignal; readonly priority: 'exit' } {
  return { signal: AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]), priority: 'exit' };
}

function refused({ state }: CollateralMove, code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}): MoveReply {
  return { state, refused: { code, message, details } };
}
