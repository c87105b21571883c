import { expect, test } from '@jest/globals';
import type { ReadOptions, Venue } from '../../../src/domain/venue';
import { decorate } from '../../../src/venues/decorate';

const read: ReadOptions = { signal: new AbortController().signal, priority: 'exit' };

/** A venue whose sessions have these parts. */
function venueOf(parts: object): Venue {
  return { name: 'moving', capabilities: {}, session: () => parts } as unknown as Venue;
}

test('a decorated venue passes on moves of collateral, and has none where the venue has none', async () => {
  expect(decorate(venueOf({}), (_named, run) => run()).session({}).moves).toBeUndefined();
  const told = (name: string) => (...given: unknown[]) => Promise.resolve([name, ...given]);
  const moves = { basis: told('basis'), outcome: told('outcome'), prepare: (...given: unknown[]) => ['prepare', ...given] };
  const calls: string[] = [];
  const moving = decorate(venueOf({ moves }), (named, run) => {
    calls.push(named.call);
    return run();
  });
  const decoratedMoves = moving.session({ key: 'k' }).moves;
  const move = { kind: 'margin', venueSymbol: 'S', amount: '5' } as const;
  expect(await decoratedMoves?.basis(move, read)).toEqual(['basis', move, read]);
  expect(decoratedMoves?.prepare(move, 'b', { nonce: '1', venueDeadlineMs: 2 })).toEqual(['prepare', move, 'b', { nonce: '1', venueDeadlineMs: 2 }]);
  expect(await decoratedMoves?.outcome(move, 'b', '1', read)).toEqual(['outcome', move, 'b', '1', read]);
  expect(calls).toEqual(['moveBasis', 'moveOutcome']);
});
