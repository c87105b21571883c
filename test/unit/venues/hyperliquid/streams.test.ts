/** Who gets a private stream and who is polled, where what is asked for that fails. */
import { afterEach, expect, test } from '@jest/globals';
import { DomainError } from '../../../../src/domain/errors';
import { OneProcessSeats, type SeatRequest } from '../../../../src/domain/seats';
import type { PrivateMessage, VenueStream } from '../../../../src/domain/venue';
import { optionsSchema } from '../../../../src/venues/hyperliquid/schemas';
import { AccountStreams, type StreamedAccount } from '../../../../src/venues/hyperliquid/streams';
import { until } from '../../../contract/streams/bus-until';

const SCOPE = 'listeners/hl';
const timedOut = (): Error => Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
const streams: VenueStream[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

/** One seat. `ask` is called before each question for it, `spend` before each poll, with how many there were. */
function world({ ask, spend }: { readonly ask?: (count: number) => void; readonly spend?: (count: number) => void }) {
  const seats = new OneProcessSeats();
  const counts = { asked: 0, spent: 0, polls: 0, listening: 0 };
  const told: unknown[] = [];
  const session: StreamedAccount['session'] = {
    openOrders: async () => ((counts.polls += 1), []),
    fillsSince: async () => ({ fills: [], next: null, truncatedBeforeMs: null }),
    findOrder: async () => null,
    positions: async () => [],
    balances: async () => [],
  };
  const made = new AccountStreams({
    options: optionsSchema.parse({ dexes: [], streamedUsers: 1, pollEveryMs: 50, pollWeightPerMinute: 1_000_000 }),
    nowMs: () => Date.now(),
    tellDrift: () => false,
    collateralOf: () => 'USDC',
    open: () => ((counts.listening += 1), { ready: Promise.resolve(), close: () => (counts.listening -= 1) }),
    venueTimeMs: async () => Date.now(),
    spend: async () => {
      spend?.((counts.spent += 1));
      return true;
    },
    seats: {
      take: async (request: SeatRequest) => {
        ask?.((counts.asked += 1));
        return seats.take(request);
      },
      giveBack: (seat) => seats.giveBack(seat),
    },
    onSeatError: (error) => told.push(error),
    venue: 'hl',
  });
  const open = (heard: PrivateMessage[] = []): VenueStream => {
    const stream = made.open({ user: 'u', agent: null, session }, (message) => heard.push(message));
    streams.push(stream);
    return stream;
  };
  return { seats, counts, told, open };
}

test('a user whose first question for a seat failed is polled, and listened to once one is answered', async () => {
  const { counts, told, open } = world({
    ask: (count) => {
      if (count === 1) throw timedOut();
    },
  });
  const heard: PrivateMessage[] = [];
  await open(heard).ready;
  await until('it is listened to', () => counts.listening === 1);
  expect([counts.polls, told]).toEqual([1, [timedOut()]]);
  expect(heard).toEqual([{ kind: 'gap', reason: 'from polling to the stream' }]);
});

test('a polled user for whom a question fails is polled on, and gets the stream when there is a seat', async () => {
  const { seats, counts, told, open } = world({
    ask: (count) => {
      if (count === 3) throw timedOut();
      if (count === 4) throw new DomainError('SERVICE_UNAVAILABLE', 'the database is away');
    },
  });
  await seats.take({ scope: SCOPE, name: 'another', max: 1 });
  await open().ready;
  await until('it was asked after both failures', () => counts.asked >= 6);
  expect([counts.polls >= 5, counts.listening, told]).toEqual([true, 0, [timedOut()]]);
  seats.giveBack({ scope: SCOPE, name: 'another' });
  await until('it is listened to', () => counts.listening === 1);
});

test('a stream that is opened after a question failed asks anew', async () => {
  const { counts, open } = world({
    ask: (count) => {
      if (count === 1) throw timedOut();
    },
  });
  const first = open();
  await first.ready.catch(() => undefined);
  first.close();
  await open().ready;
  expect([counts.asked, counts.listening]).toEqual([2, 1]);
});

test('a poll that failed for something else than the venue is told once and tried again', async () => {
  const { seats, counts, open } = world({
    spend: (count) => {
      if (count === 2 || count === 3) throw new Error('the budget is away');
    },
  });
  await seats.take({ scope: SCOPE, name: 'another', max: 1 });
  const heard: PrivateMessage[] = [];
  await open(heard).ready;
  await until('it is polled again', () => counts.polls >= 2);
  expect(heard).toEqual([{ kind: 'gap', reason: 'polling failed: the budget is away' }]);
});
