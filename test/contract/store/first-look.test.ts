/** What is carried in - held before an account was first looked at, or after its history was cut - on a real database: whole and once, whatever happens meanwhile. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AccountLook, CARRY_IN_READS, type LookKind } from '../../../src/activities/account-look';
import type { AccountWatcherPorts } from '../../../src/activities/account-ports';
import { AccountWriter } from '../../../src/activities/account-writer';
import type { Account } from '../../../src/domain/account';
import type { VenueFill, VenuePosition } from '../../../src/domain/venue';
import { VenueError } from '../../../src/domain/venue-errors';
import { AccountVenue } from '../../unit/watching/account-model';
import { reading } from '../venues/harness';
import { fillOf, intentFor, openStoreWorld, OWNER, seen, VENUE_SYMBOL, viewOf, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const held = (quantity: string): VenuePosition => ({ venueSymbol: VENUE_SYMBOL, side: 'long', quantity, entryPrice: '2', markPrice: null, leverage: null, margin: null, liquidationPrice: null, unrealizedPnl: null, realizedPnl: null });

interface Watched {
  readonly account: Account;
  readonly venue: AccountVenue;
  readonly writer: AccountWriter;
  /** Positions that an audit found to be others than ours. */
  readonly mismatches: unknown[];
  look(kind?: LookKind): ReturnType<AccountLook['take']>;
  /** Looked at three times more, as the watcher goes on: what is wrong by then stays wrong. */
  ours(): Promise<string>;
  /** A fill of somebody's own order, as the venue tells it. */
  fill(quantity: string, atMs: number): VenueFill;
}

async function watched(beforeStatus: () => Promise<unknown> = async () => undefined): Promise<Watched> {
  const account = await world.newAccount();
  const venue = new AccountVenue();
  venue.nowMs = world.clock.nowMs();
  const mismatches: unknown[] = [];
  const ports: AccountWatcherPorts = {
    clock: world.clock, watching: world.store.watching, accounts: { credentials: (id) => world.store.accounts.credentials(id), setStatus: async (...status) => {
      await beforeStatus();
      return world.store.accounts.setStatus(...status);
    }, alert: (...alert) => world.store.accounts.alert(...alert) },
    working: (id) => world.store.orders.working(id), judged: { check: async () => null, everyMs: 60_000 },
    onMismatch: (_id, kind, count) => mismatches.push([kind, count]), onTrouble: () => undefined,
  };
  const writer = new AccountWriter(ports, account.id, await world.store.watching.takeEpoch(`account/${account.id}`, 'test'));
  const port = venue.port;
  let looker = new AccountLook(ports, port, account, port.session({ key: 'k' }), writer);
  const look = (kind: LookKind = 'resync'): ReturnType<AccountLook['take']> => {
    // A successor begins with what is in the database.
    if (kind === 'resync') looker = new AccountLook(ports, port, account, port.session({ key: 'k' }), writer);
    return looker.take(kind, reading);
  };
  return {
    account, venue, writer, mismatches, look,
    ours: async () => {
      await look('resync');
      await look('audit');
      await look('audit');
      return (await world.store.watching.heldQuantities(account.id)).get(VENUE_SYMBOL) ?? '0';
    },
    fill: (quantity, atMs) => fillOf(intentFor(account), { venueClientId: null, quantity, atMs }),
  };
}

test('a first look that is broken off after it booked a fill is taken anew: what was held before is carried in', async () => {
  const { venue, look, fill, ours, mismatches } = await watched();
  venue.fills = [fill('1', venue.nowMs - 1_000)];
  venue.positions = [held('4')];
  venue.during = (call) => {
    if (call === 'positions') throw new Error('the process was killed here');
  };
  await expect(look()).rejects.toThrow('killed');
  venue.during = () => undefined;
  expect([await ours(), mismatches]).toEqual(['4', []]);
});

test('a fill that the stream brought before the first look explains nothing of what was held before', async () => {
  const { venue, writer, fill, ours, mismatches } = await watched();
  venue.fills = [fill('1', venue.nowMs - 1_000)];
  venue.positions = [held('4')];
  await writer.fills(venue.fills);
  expect([await ours(), mismatches]).toEqual(['4', []]);
});

/** As a venue where somebody trades while it is read: the fill is in the positions and not in the fills that were read before. */
function fillsWhilePositionsAreRead({ venue, fill }: Watched, times: number): void {
  venue.positions = [held('3')];
  venue.during = (call) => {
    if (call !== 'positions' || venue.fills.length === times) return;
    venue.nowMs += 50;
    venue.fills = [...venue.fills, fill('1', venue.nowMs - 25)];
    venue.positions = [held(String(3 + venue.fills.length))];
  };
}

test('a fill between the reads of fills and of positions is counted once', async () => {
  const at = await watched();
  fillsWhilePositionsAreRead(at, 1);
  await at.look();
  expect([await at.ours(), at.mismatches]).toEqual(['4', []]);
});

test('so is one that the stream booked before the fills were read again', async () => {
  const at = await watched();
  const { venue, writer } = at;
  fillsWhilePositionsAreRead(at, 1);
  const meanwhile = venue.during;
  venue.during = async (call) => {
    if (call.startsWith('fillsSince') && venue.fills.length > 0) await writer.fills(venue.fills);
    await meanwhile(call);
  };
  await at.look();
  expect([await at.ours(), at.mismatches]).toEqual(['4', []]);
});

test('an account that fills faster than it is read is looked at again later, and right then', async () => {
  const at = await watched();
  fillsWhilePositionsAreRead(at, CARRY_IN_READS);
  await expect(at.look()).rejects.toThrow(VenueError);
  expect(await world.store.watching.readCheckpoint(`account/${at.account.id}`)).toBeNull();
  expect([await at.ours(), at.mismatches]).toEqual([String(3 + CARRY_IN_READS), []]);
});

test('while a fill waits for the name of its order nothing is carried in: the fill would be counted twice', async () => {
  const at = await watched();
  const { account, venue, look } = at;
  const intent = intentFor(account, { quantity: '1' });
  await world.store.placing.recordOrders([intent], OWNER);
  venue.fills = [fillOf(intent, { venueClientId: null, quantity: '1', atMs: venue.nowMs - 1_000 })];
  venue.positions = [held('4')];
  expect(await look()).toMatchObject({ deferred: 1 });
  expect(await look('audit')).toMatchObject({ deferred: 1 });
  expect([await world.store.watching.readCheckpoint(`account/${account.id}`), (await world.store.watching.heldQuantities(account.id)).size]).toEqual([null, 0]);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  expect([await at.ours(), at.mismatches]).toEqual(['4', []]);
});

test('an account that is halted while its cut history is found out stays halted', async () => {
  const at: Watched = await watched(() => world.store.accounts.setStatus(at.account.id, 'HALTED', 'a person halted it'));
  at.venue.truncatedBeforeMs = at.venue.nowMs - 1_000;
  at.venue.positions = [held('3')];
  await world.store.watching.checkpoint(`account/${at.account.id}`, { fillsReadToMs: at.venue.nowMs - 5_000 });
  await at.look();
  expect(await world.store.accounts.byId(at.account.id)).toMatchObject({ status: 'HALTED', statusReason: 'a person halted it' });
  expect(await at.ours()).toBe('3');
});

test('one that nobody halted is put into REDUCING', async () => {
  const at = await watched();
  at.venue.truncatedBeforeMs = at.venue.nowMs - 1_000;
  await world.store.watching.checkpoint(`account/${at.account.id}`, { fillsReadToMs: at.venue.nowMs - 5_000 });
  await at.look();
  expect((await world.store.accounts.byId(at.account.id))?.status).toBe('REDUCING');
});
