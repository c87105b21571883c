/** What may happen to a deposit's money at its venue, in random orders. */
import fc from 'fast-check';

export type Action =
  /** A worker looks, and dies after so many of its steps; 9: it lives. `lost`: the venue's answer does not come back. */
  | { readonly kind: 'look'; readonly steps: number; readonly lost: boolean }
  | { readonly kind: 'funded' | 'fundingFailed' | 'venueCredits' | 'entryRefused' | 'entryFills' | 'canceled' | 'ledgerCatchesUp' | 'chainPays' | 'scan' | 'scanAgain' | 'venueRefuses' | 'timePasses' | 'databaseRestored' | 'resumed' };

const look = fc.record({ kind: fc.constant('look' as const), steps: fc.integer({ min: 0, max: 9 }), lost: fc.boolean() });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: look },
  { weight: 1, arbitrary: fc.constant({ kind: 'fundingFailed' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'venueRefuses' } as const) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('funded' as const, 'venueCredits' as const, 'entryRefused' as const, 'entryFills' as const, 'canceled' as const, 'ledgerCatchesUp' as const, 'chainPays' as const, 'scan' as const, 'scanAgain' as const, 'timePasses' as const, 'databaseRestored' as const, 'resumed' as const) }) },
);
/** Most random ways never reach the venue: others begin there, with the order placed, or refused, or the money on its way back. */
const alive = { kind: 'look', steps: 9, lost: false } as const;
const FUNDED: readonly Action[] = [{ kind: 'funded' }, { kind: 'venueCredits' }, alive];
const PLACED: readonly Action[] = [...FUNDED, alive];
const REFUSED: readonly Action[] = [...PLACED, { kind: 'entryRefused' }, alive];
const LEFT: readonly Action[] = [...REFUSED, alive, { kind: 'ledgerCatchesUp' }, alive];
export const way = fc.tuple(fc.constantFrom<readonly Action[]>([], FUNDED, PLACED, REFUSED, LEFT), fc.array(action, { maxLength: 20, size: 'max' })).map(([first, rest]) => [...first, ...rest]);
