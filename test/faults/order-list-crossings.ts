/**
 * The moment in which a list's stop is crossed, with real servers: the worker or the watcher is killed there, and its owner moves the stop, makes
 * it smaller or ends the list. Whichever comes first: nothing is sold twice, and what was answered is so. Run by order-lists.test.ts.
 */
import { expect, test } from '@jest/globals';
import { AT_ONCE, filled, micro, type ApiList, type ListKit } from './order-list-kit';

const PROFIT = { side: 'sell', type: 'limit', quantity: '0.01', limitPrice: '60000', reduceOnly: true };
const STOP = { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '49000', triggerPriceType: 'mark', reduceOnly: true };
const BRACKET = [
  { role: 'entry', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: AT_ONCE },
  { role: 'takeProfit', type: 'limit', quantity: '0.01', limitPrice: '60000' },
  { role: 'stop', type: 'stopMarket', triggerPrice: '49000', triggerPriceType: 'mark' },
];

type Shape = 'OCO' | 'BRACKET';
const STOP_LEG: Readonly<Record<Shape, number>> = { OCO: 1, BRACKET: 2 };

/** Held, guarded, and its take-profit at the venue. */
async function guarded(kit: ListKit, shape: Shape) {
  const stop = STOP_LEG[shape];
  const before = shape === 'OCO' ? await kit.entered() : await kit.exits();
  const list = await kit.create(shape, shape === 'OCO' ? [PROFIT, STOP] : BRACKET);
  await kit.until(list.id, 'guarded', ({ legs }) => legs[stop - 1]?.state === 'WORKING' && legs[stop]?.state === 'ARMED');
  return { id: list.id, stop, before };
}

type Guarded = Awaited<ReturnType<typeof guarded>>;

/** At the venue: each order once, none open, none beyond what was held. What was sold, in millionths. */
async function soldOnce(kit: ListKit, { before }: Guarded): Promise<number> {
  const orders = await kit.stack.client.until('nothing to be open', async () => {
    const now = await kit.sinceThen(before);
    return now.every(({ status }) => status !== 'open') ? now : null;
  });
  expect(new Set(orders.map(({ clientId }) => clientId)).size).toBe(orders.length);
  expect(orders.filter(({ filledQuantity }) => filledQuantity !== '0').length).toBeLessThanOrEqual(1);
  expect(filled(orders)).toBeLessThanOrEqual(10_000);
  await kit.stack.client.until('the position to be what is left', async () => (micro(await kit.position()) === 10_000 - filled(orders) ? true : null));
  return filled(orders);
}

/** What a seed chooses. */
function choices(seed: number) {
  let state = seed;
  const below = (count: number): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  };
  const shape: Shape = below(2) === 0 ? 'OCO' : 'BRACKET';
  const terms = [{ triggerPrice: '45000' }, { triggerPrice: '49500' }, shape === 'OCO' ? { quantity: '0.006' } : { triggerPrice: '48950' }][below(3)] as { readonly triggerPrice?: string; readonly quantity?: string };
  return { shape, terms, dies: [null, 'worker', 'watcher'][below(3)] as 'worker' | 'watcher' | null, cancels: below(3) === 0, priceAfter: below(4), amendAfter: below(4), cancelAfter: below(6) };
}

interface Amendment {
  readonly status: number;
  readonly body: ApiList & { readonly error?: { readonly code: string; readonly message: string } };
}

/** Asked anew at each revision that its workflow made meanwhile, until it is taken or refused for good. */
async function amended(kit: ListKit, { id, stop }: Guarded, terms: object): Promise<Amendment> {
  for (;;) {
    const { revision } = await kit.read(id);
    const answer = await kit.stack.client.call<Amendment['body']>('PATCH', `/api/v1/order-lists/${id}`, { legs: [{ n: stop, ...terms }] }, { 'if-match': `"${revision}"` });
    if (answer.status !== 412) return answer;
  }
}

export function crossingTests(kit: ListKit): void {
  test.each([
    ['OCO', 'worker', 'the price comes'],
    ['BRACKET', 'worker', 'the take-profit\'s cancel is at the venue'],
    ['BRACKET', 'watcher', 'the price comes'],
    ['OCO', 'both', 'the take-profit\'s cancel is at the venue'],
  ] as const)('the stop of the %s is crossed; killed: %s, the moment %s: all that is held is sold, once', async (shape, dies, moment) => {
    const { sim, worker, watcher } = kit.stack;
    const list = await guarded(kit, shape);
    const canceling = await sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders/cancel' } });
    await sim.price('BTC-PERP', '48900');
    if (moment !== 'the price comes') await sim.met(canceling);
    const killed = dies === 'both' ? [worker, watcher] : [dies === 'worker' ? worker : watcher];
    await Promise.all(killed.map((each) => each.kill()));
    await Promise.all(killed.map((each) => each.start()));
    const done = await kit.completed(list.id);
    expect([done.legs[list.stop]?.triggered?.level, done.legs[list.stop]?.filledQuantity]).toEqual(['49000', '0.01']);
    expect(await soldOnce(kit, list)).toBe(10_000);
  }, 120_000);

  // Of forty that were tried: each kind of amendment taken and refused, each process killed and none, with a cancel and without.
  test.each([11, 13, 17, 19, 23, 36])('seed %i: the stop is crossed while its owner amends it or ends the list: each answer holds, and nothing is sold twice', async (seed) => {
    const { client, sim, worker, watcher, accountId } = kit.stack;
    const { shape, terms, dies, cancels, priceAfter, amendAfter, cancelAfter } = choices(seed);
    const list = await guarded(kit, shape);
    /** Behind so many answers of the API: the others are so much further then. */
    const behind = async <Answer>(beats: number, act: () => Promise<Answer>): Promise<Answer> => {
      for (let beat = 0; beat < beats; beat += 1) await kit.read(list.id);
      return act();
    };
    const victim = dies === null ? null : dies === 'worker' ? worker : watcher;
    const [amendment, cancel] = await Promise.all([
      behind(amendAfter, () => amended(kit, list, terms)),
      cancels ? behind(cancelAfter, () => client.call<{ readonly pendingCancel: boolean }>('DELETE', `/api/v1/order-lists/${list.id}`)) : null,
      behind(priceAfter, () => sim.price('BTC-PERP', '48900')).then(() => victim?.kill()),
    ]);
    await victim?.start();
    const isTaken = amendment.status === 200;
    if (!isTaken) expect([amendment.status, amendment.body.error?.code, amendment.body.error?.message]).toEqual([expect.any(Number), expect.stringMatching(/^(CONFLICT|UNPROCESSABLE)$/), expect.stringMatching(/\S/)]);
    expect(cancel === null || cancel.status === 202).toBe(true);
    const level = isTaken ? (terms.triggerPrice ?? '49000') : '49000';
    // Only what was moved out of the way still waits: for its own level, and that one ends it.
    if (Number(level) < 48_900 && cancel === null) {
      expect(await client.until('the position to be guarded by the new level', async () => {
        const shown = await kit.shown();
        return shown?.desiredStop?.triggerPrice === level ? shown : null;
      })).toMatchObject({ quantity: '0.01' });
      expect(filled(await kit.sinceThen(list.before))).toBe(0);
      await sim.price('BTC-PERP', '44900');
    }
    const done = await kit.until(list.id, 'over', ({ state }) => state !== 'ACTIVE');
    const sold = await soldOnce(kit, list);
    const wanted = isTaken ? micro(terms.quantity ?? '0.01') : 10_000;
    const { triggered } = done.legs[list.stop] as ApiList['legs'][number];
    if (triggered !== null) expect(triggered.level).toBe(level);
    if (done.state === 'COMPLETED') expect(sold).toBe(wanted);
    else expect([done.state, cancel?.body.pendingCancel, sold <= wanted]).toEqual(['CANCELED', true, true]);
    const events = await kit.eventsOf(list.id);
    expect([events.filter((type) => type === 'orderList.amended').length, events.includes('orderList.cancelRequested')]).toEqual([isTaken ? 1 : 0, cancel?.body.pendingCancel ?? false]);
    if (sold < 10_000) await client.untilState((await client.place({ accountId, clientOrderId: `rest-${list.id}`, symbol: 'BTC-PERP', side: 'sell', type: 'market', quantity: String((10_000 - sold) / 1e6), reduceOnly: true })).body.id, 'FILLED');
    await kit.flat();
  }, 120_000);
}
