import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LINGER_MOST_MS, LINGER_MS_PER_ORDER, MAX_GROUP_ORDERS, MAX_GROUPS_IN_FLIGHT, OrderLane, OVERLAP_LEAST_MS, OVERLAP_MOST_MS } from '../../../src/temporal/order-lanes';
import { lane, names, type Starts, TIMELESS } from './lane-starts';

/** Two lists of so many do not fit into one group. */
const MOST_OF_A_GROUP = MAX_GROUP_ORDERS * 0.6;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('orders that arrive together', () => {
  test('an order in an idle lane starts at once and alone', async () => {
    const { starts, lane: orders } = lane();
    const done = orders.add(['a']);
    expect(starts.groups).toEqual([['a']]);
    await starts.answer(0);
    await done;
    void orders.add(['b']);
    expect(starts.groups).toEqual([['a'], ['b']]);
  });

  test('what arrives while a start is in flight goes together, in its order, as soon as that is answered', async () => {
    const { starts, lane: orders } = lane();
    for (const name of ['a', 'b', 'c', 'd']) void orders.add([name]);
    expect(starts.groups).toEqual([['a']]);
    await starts.answer(0);
    expect(starts.groups).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test('a caller is answered with its own group, not earlier', async () => {
    const { starts, lane: orders } = lane();
    const answered: string[] = [];
    for (const name of ['a', 'b']) void orders.add([name]).then(() => answered.push(name));
    await starts.answer(0);
    expect(answered).toEqual(['a']);
    await starts.answer(1);
    expect(answered).toEqual(['a', 'b']);
  });

  test('a group has no more than the limit; the rest follows', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['first']);
    for (const name of names(MAX_GROUP_ORDERS + 30)) void orders.add([name]);
    await starts.answer(0);
    await starts.answer(1);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS, 30]);
    expect(starts.groups.flat()).toEqual(['first', ...names(MAX_GROUP_ORDERS + 30)]);
  });

  test('a lane whose venue takes few orders a request has groups no larger', async () => {
    const { starts, lane: orders } = lane(true, 2);
    for (const name of names(4)) void orders.add([name]);
    await starts.answer(0);
    await starts.answer(1);
    expect(starts.groups).toEqual([['o0'], ['o1', 'o2'], ['o3']]);
    await expect(orders.add(names(3))).rejects.toThrow('lists of at most 2');
  });

  test('orders added together stay together, even where the group then has room left', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['first']);
    void orders.add(names(MOST_OF_A_GROUP, 'x'));
    void orders.add(names(MOST_OF_A_GROUP, 'y'));
    void orders.add(['last']);
    await starts.answer(0);
    await starts.answer(1);
    expect(starts.groups.slice(1)).toEqual([names(MOST_OF_A_GROUP, 'x'), [...names(MOST_OF_A_GROUP, 'y'), 'last']]);
  });

  test('more at once than a group holds is refused with what to do, and the lane goes on', async () => {
    const { starts, lane: orders } = lane();
    await expect(orders.add(names(MAX_GROUP_ORDERS + 1))).rejects.toThrow(`${MAX_GROUP_ORDERS + 1} orders were handed over together; split them into lists of at most ${MAX_GROUP_ORDERS}`);
    void orders.add(names(MAX_GROUP_ORDERS));
    expect(starts.sizes).toEqual([MAX_GROUP_ORDERS]);
  });
});

describe('under load', () => {
  /** A group of four whose start took a while and was answered, with one more waiting behind it. */
  async function busy(oneGroupAtATime = false, tookMs = OVERLAP_LEAST_MS - 1): Promise<{ starts: Starts; orders: OrderLane<string> }> {
    const { starts, lane: orders } = lane(oneGroupAtATime);
    void orders.add(names(4, 'a'));
    void orders.add(['b']);
    jest.advanceTimersByTime(tookMs);
    await starts.answer(0);
    expect(starts.sizes).toEqual([4]);
    return { starts, orders };
  }
  const WAIT_MS = 4 * LINGER_MS_PER_ORDER;

  test.each([false, true])('those who were just answered join the next group, which goes when as many are back (strict nonces: %s)', async (strict) => {
    const { starts, orders } = await busy(strict);
    for (const name of names(3, 'again')) void orders.add([name]);
    expect(starts.sizes).toEqual([4]);
    void orders.add(['again3']);
    expect(starts.groups.slice(1)).toEqual([['b', ...names(4, 'again')]]);
  });

  test('who does not come back is waited for no longer than his answer and his next order would take', async () => {
    const { starts, orders } = await busy();
    void orders.add(['again']);
    jest.advanceTimersByTime(WAIT_MS - 1);
    expect(starts.sizes).toEqual([4]);
    jest.advanceTimersByTime(1);
    expect(starts.groups.slice(1)).toEqual([['b', 'again']]);
  });

  test('and never longer than a start takes', async () => {
    const { starts } = await busy(false, 3);
    jest.advanceTimersByTime(3);
    expect(starts.groups.slice(1)).toEqual([['b']]);
  });

  test('who was alone in his group is not waited for', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    void orders.add(['b']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS - 1);
    await starts.answer(0);
    expect(starts.groups).toEqual([['a'], ['b']]);
  });

  test('a full group does not wait for more', async () => {
    const { starts, orders } = await busy();
    void orders.add(names(MAX_GROUP_ORDERS - 1));
    expect(starts.sizes).toEqual([4, MAX_GROUP_ORDERS]);
  });

  test('the first who is back does not go alone before the others; when nobody came, a later order waits for nobody', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(names(4, 'a'));
    jest.advanceTimersByTime(OVERLAP_LEAST_MS - 1);
    await starts.answer(0);
    for (const name of names(4, 'again')) void orders.add([name]);
    expect(starts.groups.slice(1)).toEqual([names(4, 'again')]);
    await starts.answer(1);
    jest.advanceTimersByTime(WAIT_MS);
    void orders.add(['alone']);
    expect(starts.groups.at(-1)).toEqual(['alone']);
  });
});

describe('full groups', () => {
  test('a second one goes beside the first, a third waits: while one waits for its venue the processor has the other', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    for (const name of names(3 * MAX_GROUP_ORDERS)) void orders.add([name]);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS]);
    await starts.answer(0);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS, MAX_GROUP_ORDERS]);
    await starts.answer(1);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS, MAX_GROUP_ORDERS, MAX_GROUP_ORDERS]);
  });

  test('what does not fill one waits for the group under way, as before', () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    for (const name of names(MAX_GROUP_ORDERS - 1)) void orders.add([name]);
    expect(starts.sizes).toEqual([1]);
  });

  test('never with strict nonces', () => {
    const { starts, lane: orders } = lane(true);
    void orders.add(['a']);
    for (const name of names(2 * MAX_GROUP_ORDERS)) void orders.add([name]);
    expect(starts.sizes).toEqual([1]);
  });
});

describe('orders that were answered while Temporal still closes their workflow', () => {
  test('hold nobody back: the next order goes at once and alone', () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    orders.answered('a');
    void orders.add(['b']);
    expect(starts.groups).toEqual([['a'], ['b']]);
  });

  test('let what waited go when the last of their group is answered, and not before', () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a', 'b']);
    void orders.add(['c']);
    orders.answered('a');
    expect(starts.groups).toEqual([['a', 'b']]);
    orders.answered('b');
    expect(starts.groups).toEqual([['a', 'b'], ['c']]);
  });

  test('are not counted once more when the start ends', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    orders.answered('a');
    void orders.add(['b']);
    void orders.add(['c']);
    await starts.answer(0);
    orders.answered('a');
    expect(starts.groups).toEqual([['a'], ['b']]);
    await starts.answer(1);
    expect(starts.groups).toEqual([['a'], ['b'], ['c']]);
  });

  test('hold back the next ones where nonces are strict, until the start ends', async () => {
    const { starts, lane: orders } = lane(true);
    void orders.add(['a']);
    orders.answered('a');
    void orders.add(['b']);
    expect(starts.groups).toEqual([['a']]);
    await starts.answer(0);
    expect(starts.groups).toEqual([['a'], ['b']]);
  });
});

describe('a start that fails', () => {
  test('rejects the callers of its own group, and the next group goes', async () => {
    const { starts, lane: orders } = lane();
    const first = orders.add(['a']);
    const [second, third] = [orders.add(['b']), orders.add(['c'])];
    const away = new Error('Temporal is away');
    const told = expect(first).rejects.toBe(away);
    await starts.fail(0, away);
    await told;
    expect(starts.groups).toEqual([['a'], ['b', 'c']]);
    await starts.answer(1);
    await expect(Promise.all([second, third])).resolves.toEqual([undefined, undefined]);
  });

  test('by throwing instead of rejecting holds nobody up either', async () => {
    let calls = 0;
    const orders = new OrderLane<string>(
      () => {
        calls += 1;
        if (calls === 1) throw new Error('thrown');
        return Promise.resolve();
      },
      { ...TIMELESS, oneGroupAtATime: true, maxOrders: MAX_GROUP_ORDERS },
    );
    await expect(orders.add(['a'])).rejects.toThrow('thrown');
    await expect(orders.add(['b'])).resolves.toBeUndefined();
  });
});

describe('a slow start', () => {
  test('no longer holds back the next group after the overlap time', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['slow']);
    void orders.add(['b']);
    void orders.add(['c']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS - 1);
    expect(starts.groups).toEqual([['slow']]);
    jest.advanceTimersByTime(1);
    expect(starts.groups).toEqual([['slow'], ['b', 'c']]);
    void orders.add(['d']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    expect(starts.groups).toEqual([['slow'], ['b', 'c'], ['d']]);
  });

  test('lets an order through that came while nothing waited, at the next overlap time', () => {
    const { starts, lane: orders } = lane();
    void orders.add(['slow']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS * 3);
    void orders.add(['b']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    expect(starts.groups).toEqual([['slow'], ['b']]);
  });

  test('is timed by itself: a quick one before it does not shorten its time', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    void orders.add(['b']);
    jest.advanceTimersByTime(5);
    await starts.answer(0);
    expect(starts.groups).toEqual([['a'], ['b']]);
    void orders.add(['c']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS - 1);
    expect(starts.groups).toEqual([['a'], ['b']]);
    jest.advanceTimersByTime(1);
    expect(starts.groups).toEqual([['a'], ['b'], ['c']]);
  });

  test('is one that takes twice as long as starts of its lane usually do', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    void orders.add(['b']);
    jest.advanceTimersByTime(30);
    await starts.answer(0);
    void orders.add(['c']);
    jest.advanceTimersByTime(59);
    expect(starts.groups).toEqual([['a'], ['b']]);
    jest.advanceTimersByTime(2);
    expect(starts.groups).toEqual([['a'], ['b'], ['c']]);
  });

  test('is waited for no longer than a person would notice, even where all are slow', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    jest.advanceTimersByTime(1_500);
    await starts.answer(0);
    void orders.add(['b']);
    void orders.add(['c']);
    jest.advanceTimersByTime(OVERLAP_MOST_MS - 1);
    expect(starts.groups).toEqual([['a'], ['b']]);
    jest.advanceTimersByTime(1);
    expect(starts.groups).toEqual([['a'], ['b'], ['c']]);
  });

  test('of a lane with strict nonces is waited for, however slow', async () => {
    const { starts, lane: orders } = lane(true);
    void orders.add(['slow']);
    for (const name of names(MAX_GROUP_ORDERS + 10)) void orders.add([name]);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS * 100);
    expect(starts.sizes).toEqual([1]);
    await starts.answer(0);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS]);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS * 100);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS]);
    await starts.answer(1);
    jest.advanceTimersByTime(LINGER_MOST_MS);
    expect(starts.sizes).toEqual([1, MAX_GROUP_ORDERS, 10]);
  });

  test('of a venue that never answers leaves a bounded number of groups under way', async () => {
    const { starts, lane: orders } = lane();
    for (let index = 0; index < MAX_GROUPS_IN_FLIGHT + 5; index += 1) {
      void orders.add([`o${index}`]);
      jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    }
    expect(starts.sizes).toHaveLength(MAX_GROUPS_IN_FLIGHT);
    await starts.answer(0);
    jest.advanceTimersByTime(OVERLAP_MOST_MS);
    expect(starts.groups.at(-1)).toEqual(names(MAX_GROUPS_IN_FLIGHT + 5).slice(MAX_GROUPS_IN_FLIGHT));
  });

  test('a whole group waiting, counted in orders, goes as soon as any start is answered', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['slow']);
    void orders.add(['quick']);
    jest.advanceTimersByTime(OVERLAP_LEAST_MS);
    void orders.add(names(MAX_GROUP_ORDERS / 2, 'x'));
    void orders.add(names(MAX_GROUP_ORDERS / 2, 'y'));
    await starts.answer(1);
    expect(starts.sizes).toEqual([1, 1, MAX_GROUP_ORDERS]);
  });

  test('an idle lane keeps no timer', async () => {
    const { starts, lane: orders } = lane();
    void orders.add(['a']);
    expect(jest.getTimerCount()).toBe(1);
    await starts.answer(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});
