/** What becomes of a collateral move, as one pure function over what was learned. Nothing is concluded from silence, and absence counts only late and twice. */
import { ENDED_MOVE_STATES, type MoveState } from './collateral-move';

/** What the store keeps of a move beside what is shown. */
export interface MoveRecord {
  readonly state: MoveState;
  readonly reasonCode: string | null;
  readonly reasonMessage: string | null;
  /** How often somebody took the right to send its bytes. */
  readonly sends: number;
  /** Bytes of it may have left, and no answer told what became of them. */
  readonly doubted: boolean;
  /** Reads that showed nothing of it, and reads that agreed with both, once its bytes could have no effect any more. */
  readonly absences: number;
  readonly unclears: number;
  /** The venue refuses the bytes after this time of its own clock, ms; null: it looks at none. */
  readonly venueDeadlineMs: number | null;
  /** The venue's clock, ms: until then its bytes are sent. */
  readonly sendUntilMs: number;
}

export type MoveFact =
  /** The venue took it, or shows it. */
  | { readonly kind: 'applied' }
  /** The venue's no to one send. */
  | { readonly kind: 'refused'; readonly send: number; readonly doubtedBefore: boolean; readonly code: string; readonly message: string }
  /** Of this send certainly nothing left. */
  | { readonly kind: 'notSent'; readonly send: number; readonly doubtedBefore: boolean; readonly message: string }
  | { readonly kind: 'lost'; readonly message: string }
  /** A read that shows nothing of it, or that agrees with both. `finalAfterMs`: the venue's own. */
  | { readonly kind: 'absent' | 'unclear'; readonly venueTimeMs: number; readonly finalAfterMs: number }
  | { readonly kind: 'timeOver' };

/** So many reads that say the same, each late enough, are evidence. */
const READS_NEEDED = 2;

/** Null where the fact changes nothing. What the venue shows counts whenever it is seen. */
export function advanceMove(record: MoveRecord, fact: MoveFact): MoveRecord | null {
  if (fact.kind === 'applied') return record.state === 'APPLIED' ? null : { ...record, state: 'APPLIED', reasonCode: null, reasonMessage: null, doubted: false };
  if (ENDED_MOVE_STATES.has(record.state)) return null;
  switch (fact.kind) {
    case 'refused':
      // A no is about these bytes only while no others of them may be on their way.
      if (fact.doubtedBefore || fact.send !== record.sends) return unknown(record, fact.message);
      return { ...record, state: 'REFUSED', reasonCode: fact.code, reasonMessage: fact.message, doubted: false };
    case 'notSent':
      if (fact.doubtedBefore || fact.send !== record.sends) return unknown(record, fact.message);
      return { ...record, doubted: false, reasonMessage: fact.message };
    case 'lost':
      return unknown(record, fact.message);
    case 'absent':
    case 'unclear': {
      if (!record.doubted || fact.venueTimeMs < deadOf(record) + fact.finalAfterMs) return null;
      const after = fact.kind === 'absent' ? { ...record, absences: record.absences + 1 } : { ...record, unclears: record.unclears + 1 };
      if (after.absences >= READS_NEEDED) return { ...after, state: 'REFUSED', reasonCode: 'NEVER_APPLIED', reasonMessage: 'the venue shows nothing of it, and its bytes can have no effect any more', doubted: false };
      if (after.unclears >= READS_NEEDED) return { ...after, state: 'UNRESOLVED', reasonCode: 'UNRESOLVED', reasonMessage: 'no answer came, and what the venue shows agrees with both: look at the position there' };
      return after;
    }
    case 'timeOver':
      return record.doubted ? null : { ...record, state: 'REFUSED', reasonCode: 'NOT_SENT', reasonMessage: record.reasonMessage ?? 'it could not be sent in time' };
  }
}

function unknown(record: MoveRecord, message: string): MoveRecord {
  return { ...record, state: 'UNKNOWN', reasonMessage: message, doubted: true };
}

/** From when on, by the venue's clock, nobody sends its bytes and the venue takes none. */
function deadOf({ venueDeadlineMs, sendUntilMs }: MoveRecord): number {
  return venueDeadlineMs ?? sendUntilMs;
}

/** Somebody takes the right to send: from now on its bytes may have left. */
export function takeMoveSend(record: MoveRecord): MoveRecord {
  return { ...record, sends: record.sends + 1, doubted: true };
}

export type MoveStep = 'ask' | 'send' | 'wait' | 'timeOver' | 'end';

/** What to do now: what may have left is asked for before it is sent again. `asked`: it was, just now, and it is not there. */
export function nextMoveStep(record: MoveRecord, venueTimeMs: number, asked: boolean): MoveStep {
  if (ENDED_MOVE_STATES.has(record.state)) return 'end';
  const inTime = venueTimeMs < record.sendUntilMs;
  if (!record.doubted) return inTime ? 'send' : 'timeOver';
  if (!asked) return 'ask';
  return inTime ? 'send' : 'wait';
}
