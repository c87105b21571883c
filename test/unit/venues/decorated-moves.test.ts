import { expect, test } from '@jest/globals';
import type { ReadOptions, Venue } from '../../../src/domain/venue';
import type { VenueBridge } from '../../../src/domain/venue-bridge';
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

test('the bridge of an account passes through what decorates its venue: its reads are calls, its messages are not', async () => {
  const calls: string[] = [];
  const bridge: VenueBridge = {
    owner: '0x00000000000000000000000000000000000000aa', signerId: 'v/aa', exitFee: '1',
    credits: async () => [{ reference: 'r', amount: '5', atMs: 1, exitNonce: '1' }],
    exitMessage: () => ({ domain: { name: 'n', version: '1', chainId: 1, verifyingContract: '0x00' }, primaryType: 'T', fields: [], message: {} }),
    exitRequest: ({ nonce }, signature) => ({ kind: 'move', bytes: signature, nonce, venueDeadlineMs: null }),
    exitsShown: async () => ['7'],
  };
  const venue = decorate(venueOf({ bridge }), ({ call }, run) => {
    calls.push(call);
    return run();
  });
  const decorated = venue.session({}).bridge;
  const exit = { amount: '9', nonce: '7' };
  expect([decorated?.owner, decorated?.signerId, decorated?.exitFee]).toEqual([bridge.owner, 'v/aa', '1']);
  expect([await decorated?.credits(0, read), await decorated?.exitsShown([exit], read)]).toEqual([[{ reference: 'r', amount: '5', atMs: 1, exitNonce: '1' }], ['7']]);
  expect([decorated?.exitMessage(exit).primaryType, decorated?.exitRequest(exit, '0x12')]).toEqual(['T', { kind: 'move', bytes: '0x12', nonce: '7', venueDeadlineMs: null }]);
  expect(calls).toEqual(['bridgeCredits', 'exitsShown']);
  expect(decorate(venueOf({}), (_named, run) => run()).session({}).bridge).toBeUndefined();
});
