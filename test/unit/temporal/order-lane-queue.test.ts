import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { MAX_WAITING_ORDERS } from '../../../src/temporal/order-lane-queue';
import { MAX_GROUP_ORDERS, MAX_GROUPS_IN_FLIGHT, OVERLAP_LEAST_MS, OVERLAP_MOST_MS, type LaneOptions, type OrderLane } from '../../../src/temporal/order-lanes';
import { lane, names, settle, type Starts } from './lane-starts';

const LIFE_MS = 10_000;
const EXPIRED = { code: 'SERVICE_UNAVAILABLE', outcome: 'none', retryAfterSeconds: 1 };

/** A lane of orders that live ten seconds from when they are asked for; those named `exit…` reduce. What callers were told is in `told`, by name. */
class World {
  readonly told = new Map<string, unknown>();
  readonly starts: Starts;
  private readonly lane: OrderLane<string>;
  private readonly bornMs = new Map<string, number>();

  constructor(oneGroupAtATime = false, about: Partial<LaneOptions<string>> = {}) {
    const made = lane(oneGroupAtATime, MAX_GROUP_ORDERS, {
      clock: { nowMs: () => Date.now() },
      startBeforeMs: (name) => (this.bornMs.get(name) ?? 0) + LIFE_MS,
      isExit: (name) => name.startsWith('exit'),
      ...about,
    });
    this.starts = made.starts;
    this.lane = made.lane;
  }

  ask(...items: string[]): void {
    for (const name of items) this.born(name);
    const tell = (answer: unknown) => items.forEach((name) => this.told.set(name, answer));
    this.lane.add(items).then(() => tell('started'), tell);
  }

  /** An order whose time began now, though it is added later. */
  born(name: string): void {
    if (!this.bornMs.has(name)) this.bornMs.set(name, Date.now());
  }

  askEach(items: readonly string[]): void {
    for (const name of items) this.ask(name);
  }

  answered(name: string): void {
    this.lane.answered(name);
  }

  /** Temporal is away: as many groups as there may be hang. */
  hang(): void {
    for (let index = 0; index < MAX_GROUPS_IN_FLIGHT; index += 1) {
      this.ask(`hangs${index}`);
      jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    }
    expect(this.starts.groups).toHaveLength(MAX_GROUPS_IN_FLIGHT);
  }

  get later(): (readonly string[])[] {
    return this.starts.groups.slice(MAX_GROUPS_IN_FLIGHT);
  }
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('an order whose time is up', () => {
  test('is never started: its caller is told in words that nothing was done, and who is in time goes', async () => {
    const world = new World();
    world.hang();
    world.ask('old');
    jest.advanceTimersByTime(LIFE_MS - 1);
    world.ask('fresh');
    jest.advanceTimersByTime(1);
    await world.starts.fail(0, new Error('Temporal did not answer'));
    jest.advanceTimersByTime(OVERLAP_MOST_MS);
    await settle();
    expect(world.later).toEqual([['fresh']]);
    expect(world.told.get('old')).toMatchObject({ ...EXPIRED, message: 'it waited for its turn until its time was up: it was never started, and nothing was sent' });
    expect(world.told.has('fresh')).toBe(false);
  });

  test('goes while there is a millisecond left', async () => {
    const world = new World(true);
    world.ask('slow');
    world.ask('last');
    jest.advanceTimersByTime(LIFE_MS - 1);
    await world.starts.answer(0);
    expect(world.starts.groups).toEqual([['slow'], ['last']]);
  });

  test('takes the list it was handed over with along, as soon as the first of it is past its time', async () => {
    const world = new World(true);
    world.ask('slow');
    world.born('a1');
    jest.advanceTimersByTime(1);
    world.ask('a0', 'a1');
    world.ask('b0', 'b1');
    jest.advanceTimersByTime(LIFE_MS - 1);
    await world.starts.answer(0);
    expect(world.starts.groups).toEqual([['slow'], ['b0', 'b1']]);
    expect([world.told.get('a0'), world.told.get('a1')]).toMatchObject([EXPIRED, EXPIRED]);
  });

  test('when it comes already: an idle lane does not start it either, and starts the next', async () => {
    const world = new World();
    world.born('old');
    jest.advanceTimersByTime(LIFE_MS);
    world.ask('old');
    await settle();
    expect(world.told.get('old')).toMatchObject(EXPIRED);
    expect(jest.getTimerCount()).toBe(0);
    world.ask('next');
    expect(world.starts.groups).toEqual([['next']]);
  });

  test('does not make a group full: who is in time waits for the group under way, as if he had been alone', async () => {
    const world = new World();
    world.ask('slow0');
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    world.ask('slow1');
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    world.askEach(names(MAX_GROUP_ORDERS - 1, 'old'));
    expect(world.starts.sizes).toEqual([1, 1]);
    jest.setSystemTime(Date.now() + LIFE_MS);
    world.ask('fresh');
    await world.starts.answer(0);
    expect(world.told.get('old0')).toMatchObject(EXPIRED);
    expect(world.starts.groups.flat()).toEqual(['slow0', 'slow1']);
  });
});

describe('a lane where everything that waits is past its time', () => {
  test('is idle once the starts have ended: no timer is left, and the next order goes at once', async () => {
    const world = new World();
    world.hang();
    world.askEach(names(2 * MAX_GROUP_ORDERS));
    jest.advanceTimersByTime(LIFE_MS);
    for (let index = 0; index < MAX_GROUPS_IN_FLIGHT; index += 1) await world.starts.fail(index, new Error('Temporal did not answer'));
    jest.advanceTimersByTime(OVERLAP_MOST_MS);
    expect(world.later).toEqual([]);
    expect(world.told.size).toBe(MAX_GROUPS_IN_FLIGHT + 2 * MAX_GROUP_ORDERS);
    expect(jest.getTimerCount()).toBe(0);
    world.ask('next');
    expect(world.later).toEqual([['next']]);
  });

  test('still times the start that is under way: the next order goes beside it', async () => {
    const world = new World(false);
    world.ask('slow');
    world.born('old');
    jest.setSystemTime(Date.now() + LIFE_MS);
    world.ask('old');
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    await settle();
    expect(world.told.get('old')).toMatchObject(EXPIRED);
    world.ask('next');
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    expect(world.starts.groups).toEqual([['slow'], ['next']]);
    world.answered('slow');
    world.answered('next');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('with strict nonces goes on with the next order', async () => {
    const world = new World(true);
    world.ask('slow');
    world.askEach(names(3));
    jest.advanceTimersByTime(LIFE_MS);
    await world.starts.fail(0, new Error('Temporal did not answer'));
    world.ask('next');
    expect(world.starts.groups).toEqual([['slow'], ['next']]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a lane where more wait than could be started in time', () => {
  const FULL = { code: 'SERVICE_UNAVAILABLE', outcome: 'none', message: 'more orders wait to be started than can be in time: this one was not taken, and nothing was sent' };

  test('takes no more, and says when to try again', async () => {
    const world = new World();
    world.hang();
    world.askEach(names(MAX_WAITING_ORDERS - 1));
    world.ask('x0', 'x1');
    world.ask('fits');
    world.ask('more');
    await settle();
    expect([...world.told.keys()]).toEqual(['x0', 'x1', 'more']);
    expect(world.told.get('more')).toMatchObject({ ...FULL, retryAfterSeconds: expect.any(Number) });
  });

  test('has room again for as many as were started, or are past their time', async () => {
    const world = new World();
    world.hang();
    world.askEach(names(MAX_WAITING_ORDERS));
    await world.starts.answer(0);
    expect(world.later[0]).toHaveLength(MAX_GROUP_ORDERS);
    world.askEach(names(MAX_GROUP_ORDERS, 'y'));
    await settle();
    expect(world.told.has('y0')).toBe(false);
    // Nothing is taken while all starts hang: what is dead must not keep the living out.
    jest.setSystemTime(Date.now() + LIFE_MS);
    world.ask('fresh');
    await settle();
    expect(world.told.get('y0')).toMatchObject(EXPIRED);
    expect(world.told.has('fresh')).toBe(false);
  });

  test('takes exits all the same: only exits keep exits out', async () => {
    const world = new World();
    world.hang();
    world.askEach(names(MAX_WAITING_ORDERS));
    world.askEach(names(MAX_WAITING_ORDERS + 1, 'exit'));
    await settle();
    expect([...world.told.keys()]).toEqual([`exit${MAX_WAITING_ORDERS}`]);
  });
});

describe('exits', () => {
  test('go before entries where not all that wait fit into one group; among themselves each keeps its order', async () => {
    const world = new World();
    world.ask('first');
    world.askEach(names(MAX_GROUP_ORDERS - 2));
    world.ask('exit0');
    world.ask('list', 'exit-of-list');
    world.ask('exit1', 'exit2');
    // A full group goes beside the first as soon as it is full: this one left before there were more.
    expect(world.starts.sizes).toEqual([1, MAX_GROUP_ORDERS - 1]);
    world.askEach(names(MAX_GROUP_ORDERS, 'e'));
    world.ask('exit3');
    await world.starts.answer(1);
    expect(world.starts.groups[2]).toEqual(['exit1', 'exit2', 'exit3', 'list', 'exit-of-list', ...names(MAX_GROUP_ORDERS - 5, 'e')]);
  });

  test('keep their turn where all that waits goes at once', async () => {
    const world = new World();
    world.ask('first');
    world.askEach(['a', 'exit', 'b']);
    await world.starts.answer(0);
    expect(world.starts.groups).toEqual([['first'], ['a', 'exit', 'b']]);
  });

  test('keep their turn where nonces are strict: orders go as they were asked for', async () => {
    const world = new World(true);
    world.ask('first');
    world.askEach([...names(MAX_GROUP_ORDERS), 'exit']);
    await world.starts.answer(0);
    expect(world.starts.groups[1]).toEqual(names(MAX_GROUP_ORDERS));
  });
});
