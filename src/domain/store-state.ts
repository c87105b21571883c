/**
 * Two stores, one truth: whether PostgreSQL and Temporal are the pair that they were, and what may be recorded while that is
 * not known. PostgreSQL counts a beat and Temporal remembers the last one it saw; a restored copy of either is behind the other.
 */

/** One beat, as Temporal's history keeps it. The token tells two lives apart that count to the same number. */
export interface StoreMark {
  readonly beat: number;
  readonly token: string;
}

/**
 * open: the two agree. replaying: orders that PostgreSQL may have lost are being read back from Temporal. reading: they are
 * back, and the venues' open orders and fills are read, account by account.
 */
export type StorePhase = 'open' | 'replaying' | 'reading';

/** What PostgreSQL keeps of it, in one row. Times in ms, our clock. */
export interface StoreState extends StoreMark {
  /** The server process and tables that were compared last; another one is not trusted before it was compared. */
  readonly instance: string;
  readonly generation: string;
  readonly phase: StorePhase;
  readonly beatAtMs: number;
  /** An intent from before this instant that has no row may have been sent in a life of the database that is lost. */
  readonly lostBeforeMs: number | null;
  /** While reading: accounts that were not looked at since. */
  readonly unread: readonly string[];
  /** Why entries are, or last were, held back; for operators. */
  readonly reason: string | null;
  /** When that was noticed. */
  readonly noticedAtMs: number | null;
}

/** The row, and what the database is at this moment. */
export interface StoreReading {
  readonly state: StoreState;
  readonly instance: string;
  readonly generation: string;
}

export type StoreComparison =
  | { readonly kind: 'agree' }
  /** PostgreSQL was started anew, and nothing says that it lost anything: Temporal's newest orders must be there. */
  | { readonly kind: 'restarted' }
  | { readonly kind: 'differ'; readonly lost: 'postgresql' | 'temporal'; readonly reason: string };

/** Compares PostgreSQL with what Temporal remembers of it; null: Temporal remembers nothing. */
export function compareStores(mark: StoreMark | null, { state, instance, generation }: StoreReading): StoreComparison {
  if (mark !== null && (state.beat < mark.beat || (state.beat === mark.beat && state.token !== mark.token))) {
    return { kind: 'differ', lost: 'postgresql', reason: `PostgreSQL is at beat ${state.beat}, Temporal remembers beat ${mark.beat}: an older copy of the database took its place` };
  }
  if (state.generation !== '' && state.generation !== generation) {
    return { kind: 'differ', lost: 'postgresql', reason: `PostgreSQL is of generation ${generation}, the last seen was ${state.generation}` };
  }
  // One ahead is a beat whose answer did not reach Temporal.
  if (state.beat > (mark?.beat ?? 0) + 1) {
    return { kind: 'differ', lost: 'temporal', reason: `PostgreSQL is at beat ${state.beat}, Temporal remembers ${mark === null ? 'nothing' : `beat ${mark.beat}`}: its last commits are lost` };
  }
  return state.instance === instance ? { kind: 'agree' } : { kind: 'restarted' };
}

/** send: as always. ask: record it as one that may have been sent, and ask the venue first. hold: not now. */
export type Admission = 'send' | 'ask' | 'hold';

export interface AdmissionQuestion {
  readonly accountId: string;
  readonly reduceOnly: boolean;
  /** When the intent came to be, ms; null where that is not known: now. */
  readonly intendedAtMs: number | null;
}

/** What may become of an intent that has no row yet. */
export function admissionOf(reading: Pick<StoreReading, 'state' | 'instance'>, question: AdmissionQuestion): Admission {
  const { state, instance } = reading;
  const { reduceOnly, intendedAtMs } = question;
  const isLost = state.lostBeforeMs !== null && intendedAtMs !== null && intendedAtMs < state.lostBeforeMs;
  // Compared within a second of its start; until then nobody knows which orders it lacks.
  if (state.instance !== instance) return 'hold';
  if (isLost) return 'ask';
  switch (state.phase) {
    case 'open':
      return 'send';
    case 'replaying':
      // An exit may be the repeat of one whose row is not back yet: the venue knows.
      return reduceOnly ? 'ask' : 'hold';
    case 'reading':
      if (!state.unread.includes(question.accountId)) return 'send';
      // The positions that an exit would be judged by are those of the backup: the venue knows the real ones.
      return reduceOnly ? 'ask' : 'hold';
  }
}

/** Whether rows may be missing, or as they were at a backup: nobody takes up then what seems to be left, nor makes anew what seems not to be there. */
export function isBeingReadBack({ state, instance }: Pick<StoreReading, 'state' | 'instance'>): boolean {
  return state.instance !== instance || state.phase === 'replaying';
}

/** Why an account's entries are held back now, in words; null: they are not. */
export function entriesHeld(reading: Pick<StoreReading, 'state' | 'instance'>, accountId: string | null): string | null {
  const { state, instance } = reading;
  if (state.instance !== instance) return 'PostgreSQL was started anew and is being compared with Temporal';
  if (state.phase === 'replaying') return `orders are being read back from Temporal: ${state.reason ?? 'the stores differ'}`;
  if (state.phase === 'reading' && (accountId === null || state.unread.includes(accountId))) return `the venue's open orders and fills are being read: ${state.reason ?? 'the stores differ'}`;
  return null;
}
