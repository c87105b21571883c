/** What was held before an account was first looked at, on a real database: carried in whole and once, whatever happens meanwhile. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AccountLook, type LookKind } from '../../../src/activities/account-look';
import type { AccountWatcherPorts } from '../../../src/activities/account-ports';
import { AccountWriter } from '../../../src/activities/account-writer';
import type { Account } from '../../../src/domain/account';
import type { VenueFill, VenuePosition } from '../../../src/domain/venue';
import { AccountVenue } from '../../unit/watching/account-model';
import { reading } from '../venues/harness';
import { fillOf, intentFor, openStoreWorld, VENUE_SYMBOL, type StoreWorld } from './harness';

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

async function watched(): Promise<Watched> {
  const account = await world.newAccount({ balance: null });
  const venue = new AccountVenue();
  venue.nowMs = world.clock.nowMs();
  const mismatches: unknown[] = [];
  const ports: AccountWatcherPorts = {
    clock: world.clock, watching: world.store.watching, accounts: { byId: (id) => world.store.accounts.byId(id), credentials: (id) => world.store.accounts.credentials(id), setStatus: (...status) => world.store.accounts.setStatus(...status), alert: (...alert) => world.store.accounts.alert(...alert) },
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
