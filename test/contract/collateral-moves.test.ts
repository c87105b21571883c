/** Collateral moves over PostgreSQL: signed once, sent as the same bytes, and pursued until the venue's word or its clock settles them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { CollateralMover } from '../../src/activities/collateral-mover';
import type { Account } from '../../src/domain/account';
import type { CollateralMove } from '../../src/domain/collateral-move';
import type { SendAnswer, SendOptions, SignedRequest, Venue, VenueMoveOutcome } from '../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../../src/domain/venue-errors';
import { moveSample } from '../unit/domain/move-samples';
import { openStoreWorld, signingVenue, type StoreWorld } from './store/harness';
import { queried } from '../support/queried';

const TAKEN: SendAnswer = { items: [{ kind: 'accepted', venueOrderId: null, transactionHash: null }], raw: 'ok', venueTimeMs: null, latencyMs: 1 };
const FINAL_AFTER_MS = 1_000;
/** Long after everything of a move is over. */
const LATER_MS = 60_000;
const signal = new AbortController().signal;

/** What the venue does, test by test. */
const venueDoes = {
  basis: async (): Promise<string> => 'as it stands',
  outcome: async (): Promise<VenueMoveOutcome> => 'absent',
  send: async (_request: SignedRequest, _options: SendOptions): Promise<SendAnswer> => TAKEN,
};
const usual = { ...venueDoes };
const sent: { readonly bytes: string; readonly priority: string }[] = [];

function movingVenue(name: string): Venue {
  const base = signingVenue(name, { nonceRule: 'timeMs', resendSafety: 'sameBytes', collateralMoves: ['margin', 'transfer'], absenceFinalAfterMs: FINAL_AFTER_MS }, { nowMs: () => world.clock.nowMs() });
  return {
    ...base,
    session: (credentials) => ({
      ...base.session(credentials),
      moves: {
        basis: () => venueDoes.basis(),
        outcome: () => venueDoes.outcome(),
        prepare: (move, basis, { nonce, venueDeadlineMs }) => {
          if (move.amount === '666') throw new VenueRefused(name, 'other', 'BAD_AMOUNT', 'this amount cannot be said');
          return { kind: 'move', bytes: JSON.stringify({ move, basis, nonce }), nonce, venueDeadlineMs };
        },
      },
      send: (request, options) => {
        sent.push({ bytes: request.bytes, priority: options.priority });
        return venueDoes.send(request, options);
      },
    }),
  };
}

let world: StoreWorld;
let account: Account;
let mover: CollateralMover;
beforeAll(async () => {
  world = await openStoreWorld([movingVenue('moving')]);
  account = await world.newAccount({ venue: 'moving' });
  const { store, clock } = world;
  mover = new CollateralMover({ clock, venues: new Map([['moving', movingVenue('moving')], ['paper', signingVenue('paper')]]), moves: store.collateralMoves, credentials: (id) => store.accounts.credentials(id) });
});
beforeEach(() => {
  Object.assign(venueDoes, usual);
  sent.length = 0;
});
afterAll(() => world.close());

const asked = (change: Partial<CollateralMove> = {}): CollateralMove => moveSample({ id: randomUUID(), userId: world.userId, accountId: account.id, venue: 'moving', ...change });
const grounds = (basis: string) => ({ basis, readAtMs: world.clock.nowMs(), recordBeforeMs: soon() });
const soon = (): number => world.clock.nowMs() + 10_000;
async function recorded(change: Partial<CollateralMove> = {}): Promise<CollateralMove> {
  const move = asked(change);
  expect(await mover.record(move, soon(), signal)).toEqual({ state: 'SENDING', refused: null });
  return move;
}
const lose = async (): Promise<never> => Promise.reject(new VenueOutcomeUnknown('moving', 'no answer', 'reset'));
const shown = (move: CollateralMove) => world.store.collateralMoves.get(move.id, world.userId);
const sealedOf = async (move: CollateralMove): Promise<{ sealed: Buffer | null; nonce: string }> => {
  const [row] = await queried<{ sealed: Buffer | null; nonce: string }>(world.databaseUrl, 'SELECT sealed, nonce::text AS nonce FROM collateral_moves WHERE id = $1', move.id);
  return row ?? { sealed: null, nonce: '' };
};

describe('a move', () => {
  test('is recorded with its sealed bytes before any of them leaves, told, audited, and sent once', async () => {
    const move = await recorded();
    expect(sent).toEqual([]);
    const { sealed } = await sealedOf(move);
    expect(sealed?.includes('as it stands')).toBe(false);
    expect(await mover.pursue(move.id, signal)).toBe('APPLIED');
    expect(await mover.pursue(move.id, signal)).toBe('APPLIED');
    expect([sent.length, (await shown(move))?.sends, (await sealedOf(move)).sealed]).toEqual([1, 1, null]);
    const events = (await world.store.events.since(`account:${account.id}`, 0, 100)).filter(({ data }) => (data['move'] as CollateralMove | undefined)?.id === move.id);
    expect(events.map(({ type, data }) => [type, (data['move'] as CollateralMove).state])).toEqual([['account.collateralMoved', 'SENDING'], ['account.collateralMoved', 'APPLIED']]);
    expect((await world.store.audit.check([])).faults).toEqual([]);
  });

  test('asked for again is the one that is there: nothing is signed anew', async () => {
    const move = await recorded();
    const { nonce } = await sealedOf(move);
    expect(await mover.record(move, soon(), signal)).toEqual({ state: 'SENDING', refused: null });
    await Promise.all(Array.from({ length: 5 }, () => world.store.collateralMoves.record(move, grounds('another basis'))));
    expect((await sealedOf(move)).nonce).toBe(nonce);
  });

  test('and the next take nonces of their own, in every process', async () => {
    const another = await world.openAnother();
    const moves = await Promise.all(Array.from({ length: 20 }, async (_, index) => (index % 2 === 0 ? world.store : another).collateralMoves.record(asked(), grounds('{}'))));
    const nonces = await Promise.all(moves.map(async (move) => (await sealedOf(move)).nonce));
    expect(new Set(nonces).size).toBe(20);
  });

  describe('of margin', () => {
    const margin = { kind: 'margin', symbol: 'SOL-PERP', venueSymbol: 'SOLUSDT', from: null, to: null, amount: '25' } as const;

    test('waits for no other of the same position: one at a time can be told by the position\'s money', async () => {
      const first = await recorded(margin);
      expect(await mover.record(asked(margin), soon(), signal)).toMatchObject({ refused: { code: 'CONFLICT', details: { moveId: first.id } } });
      // Of another position, it is nobody's concern.
      await mover.pursue((await recorded({ ...margin, symbol: 'ETH-PERP', venueSymbol: 'ETHUSDT' })).id, signal);
      expect(await mover.pursue(first.id, signal)).toBe('APPLIED');
    });

    test('whose basis was read before another ended is not recorded: the venue is read anew', async () => {
      world.clock.ms += LATER_MS;
      const first = await recorded(margin);
      const readBefore = grounds('before the first');
      world.clock.ms += 100;
      expect(await mover.pursue(first.id, signal)).toBe('APPLIED');
      await expect(world.store.collateralMoves.record(asked(margin), readBefore)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      world.clock.ms += LATER_MS;
      await mover.pursue((await recorded(margin)).id, signal);
    });
  });

  test('that comes too late is not recorded, however long its process stood still', async () => {
    const move = asked();
    await expect(world.store.collateralMoves.record(move, { ...grounds('{}'), recordBeforeMs: world.clock.nowMs() - 1 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(await shown(move)).toBeNull();
  });

  test('whose answer is lost is asked for, and the same bytes go again until it is known', async () => {
    const move = await recorded();
    venueDoes.send = lose;
    expect([await mover.pursue(move.id, signal), await mover.pursue(move.id, signal)]).toEqual(['UNKNOWN', 'UNKNOWN']);
    expect([sent.length, new Set(sent.map(({ bytes }) => bytes)).size]).toEqual([2, 1]);
    venueDoes.outcome = async () => 'applied';
    expect(await mover.pursue(move.id, signal)).toBe('APPLIED');
    expect(sent).toHaveLength(2);
  });

  test('whose nonce the venue calls used is not taken for refused: the venue is asked', async () => {
    const move = await recorded();
    venueDoes.send = async () => ({ ...TAKEN, items: [{ kind: 'refused', code: 'duplicateClientId', venueCode: 'ERROR', message: 'nonce used' }] });
    expect(await mover.pursue(move.id, signal)).toBe('UNKNOWN');
    venueDoes.outcome = async () => 'applied';
    expect(await mover.pursue(move.id, signal)).toBe('APPLIED');
  });

  test('that the venue refuses ends with its words', async () => {
    const move = await recorded();
    venueDoes.send = () => Promise.reject(new VenueRefused('moving', 'insufficientMargin', 'ERR', 'Insufficient balance'));
    expect(await mover.pursue(move.id, signal)).toBe('REFUSED');
    expect(await shown(move)).toMatchObject({ reasonCode: 'INSUFFICIENT_MARGIN', reasonMessage: 'Insufficient balance' });
  });

  test('that could not be sent is tried while its time lasts, and then ends with nothing done', async () => {
    const move = await recorded();
    for (const error of [new VenueUnavailable('moving', 'no connection', 'connection'), new VenueRateLimited('moving', 'spent', 1_000, 'budget')]) {
      venueDoes.send = () => Promise.reject(error);
      expect(await mover.pursue(move.id, signal)).toBe('SENDING');
    }
    world.clock.ms += LATER_MS;
    expect(await mover.pursue(move.id, signal)).toBe('REFUSED');
    expect(await shown(move)).toMatchObject({ reasonCode: 'NOT_SENT', reasonMessage: 'spent' });
  });

  test('that the venue never shows is refused only after its bytes expired there, by two reads', async () => {
    const move = await recorded();
    venueDoes.send = lose;
    await mover.pursue(move.id, signal);
    world.clock.ms += LATER_MS;
    expect([await mover.pursue(move.id, signal), await mover.pursue(move.id, signal)]).toEqual(['UNKNOWN', 'REFUSED']);
    expect([await shown(move), sent.length]).toMatchObject([{ reasonCode: 'NEVER_APPLIED' }, 1]);
  });

  test('of which the venue shows what agrees with both is left to a person', async () => {
    const move = await recorded();
    venueDoes.send = lose;
    venueDoes.outcome = async () => 'unclear';
    await mover.pursue(move.id, signal);
    world.clock.ms += LATER_MS;
    expect([await mover.pursue(move.id, signal), await mover.pursue(move.id, signal), (await shown(move))?.reasonCode]).toEqual(['UNKNOWN', 'UNRESOLVED', 'UNRESOLVED']);
  });

  test('whose process died while it sent is asked for first: nobody knows what left', async () => {
    const move = await recorded();
    expect(await world.store.collateralMoves.takeSend(move.id)).toMatchObject({ send: 1, doubtedBefore: false });
    venueDoes.outcome = async () => 'applied';
    expect([await mover.pursue(move.id, signal), sent.length]).toEqual(['APPLIED', 0]);
  });

  test('of margin passes what is kept for exits where it is added, and not where it is taken away', async () => {
    for (const amount of ['5', '-5']) {
      await mover.pursue((await recorded({ kind: 'margin', symbol: 'XRP-PERP', venueSymbol: 'XRPUSDT', from: null, to: null, amount })).id, signal);
      world.clock.ms += LATER_MS;
    }
    expect(sent.map(({ priority }) => priority)).toEqual(['exit', 'entry']);
  });
});

describe('nothing is recorded', () => {
  const nothing = async (move: CollateralMove): Promise<void> => expect(await world.store.collateralMoves.find(move.id)).toBeNull();

  test('of what the venue cannot be told, or has nothing of', async () => {
    const unsayable = asked({ amount: '666' });
    expect(await mover.record(unsayable, soon(), signal)).toMatchObject({ refused: { code: 'VENUE_REJECTED', message: 'this amount cannot be said' } });
    await nothing(unsayable);
    venueDoes.basis = () => Promise.reject(new VenueRefused('moving', 'other', 'NOT_ISOLATED', 'no isolated position'));
    expect(await mover.record(asked(), soon(), signal)).toMatchObject({ refused: { code: 'VENUE_REJECTED', details: { venueCode: 'NOT_ISOLATED' } } });
  });

  test('while the venue cannot be asked, and once its caller was told so it never is', async () => {
    venueDoes.basis = lose;
    const move = asked();
    await expect(mover.record(move, soon(), signal)).rejects.toThrow('no answer');
    expect(await mover.record(move, world.clock.nowMs() - 1, signal)).toMatchObject({ refused: { code: 'VENUE_UNAVAILABLE' } });
    venueDoes.basis = usual.basis;
    expect(await mover.record(move, world.clock.nowMs() - 1, signal)).toMatchObject({ refused: { code: 'VENUE_UNAVAILABLE' } });
    await nothing(move);
  });

  test('for another user\'s account, one without a key, or a venue that moves nothing', async () => {
    const stranger = asked({ userId: 'somebody else' });
    expect(await mover.record(stranger, soon(), signal)).toMatchObject({ refused: { code: 'NOT_FOUND' } });
    const nowhere = asked({ accountId: randomUUID() });
    expect(await mover.record(nowhere, soon(), signal)).toMatchObject({ refused: { code: 'NOT_FOUND' } });
    const paper = await world.newAccount();
    expect(await mover.record(asked({ venue: 'paper', accountId: paper.id }), soon(), signal)).toMatchObject({ refused: { code: 'UNPROCESSABLE' } });
    for (const move of [stranger, nowhere]) await nothing(move);
  });
});

test('a move that a restored database has lost is never sent: its bytes went with it, and what became of it only its venue knows', async () => {
  const { id } = await recorded({});
  await queried(world.databaseUrl, 'DELETE FROM collateral_moves WHERE id = $1 RETURNING id', id);
  expect(await mover.pursue(id, signal)).toBe('UNRESOLVED');
});

test('moves are listed newest first, page by page, of one account or of all, and never another user\'s', async () => {
  const own = await world.newAccount({ venue: 'moving' });
  const ids: string[] = [];
  for (let made = 0; made < 3; made += 1) {
    world.clock.ms += 10;
    ids.unshift((await recorded({ accountId: own.id })).id);
  }
  const list = (change: { cursor?: string | null; userId?: string; limit?: number } = {}) => world.store.collateralMoves.list({ userId: world.userId, accountId: own.id, cursor: null, limit: 2, ...change });
  const first = await list();
  expect(first.moves.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect((await list({ cursor: first.nextCursor })).moves.map(({ id }) => id)).toEqual(ids.slice(2));
  expect((await list({ userId: 'nobody' })).moves).toEqual([]);
  expect((await world.store.collateralMoves.unended(500)).map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
});
