/**
 * Strategies and order lists that last for months, by Temporal's clock, which its test server moves on while nothing is to be done: what they
 * decide on is a small world of rows, and no wait is made shorter.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StrategyFacts } from '../../src/activities/strategy-activities';
import { childOrderId } from '../../src/domain/client-ids';
import { sha256Hex } from '../../src/api/canonical-json';
import type { OrderIntent } from '../../src/domain/order';
import { noted, type OrderListAdvance } from '../../src/domain/order-list-commands';
import type { OrderList, OrderListChild, OrderListFacts } from '../../src/domain/order-list';
import { hasEnded, type Strategy, type StrategyChild } from '../../src/domain/strategy';
import type { StrategyAdvance } from '../../src/domain/strategy-commands';
import { withFallbacks } from '../../src/domain/strategies/form';
import { strategyNamed } from '../../src/domain/strategies/registry';
import type { Trigger, TriggerIntent } from '../../src/domain/trigger';
import { findTestServer } from '../support/temporal-test-server';
import { leg, LEGS } from '../unit/order-lists/list-samples';
import { DAY_MS, LONGEST_HISTORY, SkippedMonths } from './skipped-months';

const found = findTestServer();
if ('missing' in found) process.stderr.write(`SKIPPED: strategies and lists of months: no Temporal test server: ${found.missing}\n`);
const run = 'program' in found ? describe : describe.skip;

const RULES = { tickRule: { kind: 'step', step: '0.5' }, lot: '0.01', minQuantity: '0.01', minNotional: '1' } as const;
const iso = (atMs: number): string => new Date(atMs).toISOString();

/** What both worlds answer to the orders that are placed: they rest, or what takes at once fills whole. */
class Venue {
  readonly placedAtMs: number[] = [];
  readonly canceled = new Set<string>();

  constructor(readonly nowMs: () => Promise<number>) {}

  readonly activities = {
    placeOrders: async ({ intents }: { intents: readonly OrderIntent[] }) => {
      for (const { id } of intents) {
        this.placedAtMs.push(await this.nowMs());
        this.placed(id);
      }
      return { group: { items: intents.map(({ id }) => ({ orderId: id, verdict: 'accepted' })), calls: [{ attemptId: 't1', venue: 'paper', accountId: 'a1', orderIds: intents.map(({ id }) => id), exit: false }] }, openOrderIds: [], unsent: [] };
    },
    requestMutation: async ({ intent }: { intent: { orderId: string } }) => {
      this.canceled.add(intent.orderId);
      return { verdict: 'accepted', attemptId: 't1', code: null, message: null, step: { kind: 'settled', verdict: 'applied', code: null, message: null } };
    },
  };

  protected placed(_orderId: string): void {
    // Whoever keeps rows writes them.
  }
}

class StrategyVenue extends Venue {
  strategy: Strategy;
  children: StrategyChild[] = [];
  looks = 0;

  constructor(type: string, beganMs: number, nowMs: () => Promise<number>, quantity: string, parameters: Record<string, string | number>, change: Partial<Strategy> = {}) {
    super(nowMs);
    const at = iso(beganMs);
    this.strategy = {
      id: `00000000-0000-4000-8000-${String(beganMs).padStart(12, '0').slice(-12)}`, clientStrategyId: 'c', userId: 'u1', accountId: 'a1', venue: 'paper', symbol: 'X-PERP', venueSymbol: 'X-PERP', type, side: 'buy', quantity, reduceOnly: false,
      parameters: withFallbacks(strategyNamed(type).form, parameters), state: 'SCHEDULED', reason: null, pendingCancel: false, filledQuantity: '0', avgPrice: null, revision: 1, run: 0,
      startAt: null, expireAt: null, startedAt: null, runStartedAt: null, pausedAt: null, pausedMs: 0, ownerWorkflowId: 'w', createdAt: at, updatedAt: at, endedAt: null, ...change,
    };
  }

  readonly all = {
    ...this.activities,
    readBackStrategy: async () => false,
    lookAtStrategy: async (): Promise<StrategyFacts> => {
      this.looks += 1;
      this.children = this.children.map((child) => (this.canceled.has(child.orderId) ? { ...child, state: 'CANCELED', closedAtMs: child.createdAtMs } : child));
      return { strategy: this.strategy, children: this.children, rules: RULES, prices: { bid: '99', ask: '100', mark: '99.5' }, signerId: 's1' };
    },
    advanceStrategy: async ({ advance: { note, place } }: { advance: StrategyAdvance }) => {
      const nowMs = await this.nowMs();
      if (note !== null) {
        const begins = note.newRun ? { run: this.strategy.run + 1, runStartedAt: iso(nowMs), startedAt: this.strategy.startedAt ?? iso(nowMs) } : {};
        this.strategy = { ...this.strategy, ...begins, state: note.state, reason: note.reason, filledQuantity: note.filledQuantity, avgPrice: note.avgPrice, revision: this.strategy.revision + 1, updatedAt: iso(nowMs), endedAt: hasEnded(note.state) ? iso(nowMs) : null };
      }
      const children = place.map((plan, index): StrategyChild => {
        const n = this.children.length + 1 + index;
        return { ...plan, n, orderId: childOrderId({ parentId: this.strategy.id, leg: this.strategy.run, child: n }, sha256Hex), run: this.strategy.run, state: 'PENDING_RISK', isPlaced: false, filledQuantity: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, createdAtMs: nowMs, closedAtMs: null };
      });
      this.children.push(...children);
      return { strategy: this.strategy, children };
    },
  };

  protected override placed(orderId: string): void {
    this.children = this.children.map((child) => {
      if (child.orderId !== orderId) return child;
      return child.timeInForce === 'IOC' ? { ...child, isPlaced: true, state: 'FILLED', filledQuantity: child.quantity, avgPrice: child.limitPrice, closedAtMs: child.createdAtMs } : { ...child, isPlaced: true, state: 'WORKING' };
    });
  }
}

class ListVenue extends Venue {
  list: OrderList;
  children: OrderListChild[] = [];
  readonly triggers = new Map<string, Trigger>();

  constructor(beganMs: number, nowMs: () => Promise<number>, change: Partial<OrderList>) {
    super(nowMs);
    const at = iso(beganMs);
    this.list = {
      id: `00000000-0000-4000-8000-${String(beganMs).padStart(12, '0').slice(-12)}`, clientListId: 'c', userId: 'u1', accountId: 'a', venue: 'paper', symbol: 'X-PERP', type: 'BRACKET', state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false,
      legs: LEGS.BRACKET.map(leg), expireTime: null, timeLimitMs: null, closeAt: null, breakEvenAfter: null, revision: 1, ownerWorkflowId: 'w', createdAt: at, updatedAt: at, endedAt: null, ...change,
    };
  }

  readonly all = {
    ...this.activities,
    readBackOrderList: async () => false,
    lookAtOrderList: async (): Promise<OrderListFacts> => {
      this.children = this.children.map((child) => (this.canceled.has(child.orderId) ? { ...child, state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' } : child));
      return { list: this.list, children: this.children, triggers: [...this.triggers.values()], markets: this.list.legs.map(() => ({ rules: RULES, signerId: 's1', mark: '100', bid: '99', ask: '101' })) };
    },
    advanceOrderList: async ({ advance: { note, place, cancel } }: { advance: OrderListAdvance }) => {
      const nowMs = await this.nowMs();
      if (note !== null) this.list = noted(this.list, note, iso(nowMs)).list;
      this.children = this.children.map((child) => (cancel.includes(child.n) ? { ...child, cancelAskedAtMs: child.cancelAskedAtMs ?? nowMs } : child));
      const made = place.map((plan, index): OrderListChild => {
        const n = this.children.length + 1 + index;
        return { ...plan, n, orderId: childOrderId({ parentId: this.list.id, leg: plan.leg, child: n }, sha256Hex), state: 'PENDING_RISK', isPlaced: false, filledQuantity: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, recordedAtMs: nowMs, cancelAskedAtMs: null, closedAtMs: null };
      });
      this.children.push(...made);
      return { children: made };
    },
    settleListTriggers: async ({ arm, disarm }: { arm: readonly TriggerIntent[]; disarm: readonly string[] }) => {
      for (const intent of arm) this.triggers.set(intent.id, { ...intent, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, evidence: null, acknowledged: false });
      for (const id of disarm) this.triggers.delete(id);
      return false;
    },
  };

  /** The entry and what goes out at the market fill; take-profits rest. */
  protected override placed(orderId: string): void {
    this.children = this.children.map((child) => {
      if (child.orderId !== orderId) return child;
      const fills = child.leg === 0 || child.step === 'market';
      return fills ? { ...child, isPlaced: true, state: 'FILLED', filledQuantity: child.quantity, avgPrice: '100' } : { ...child, isPlaced: true, state: 'WORKING' };
    });
  }
}

run('what lasts for months', () => {
  let months: SkippedMonths;

  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    months = await SkippedMonths.open(found.program);
  }, 300_000);
  afterAll(() => months.close());

  const nowMs = (): Promise<number> => months.nowMs();
  const dayOf = (beganMs: number) => (atMs: number): number => (atMs - beganMs) / DAY_MS;

  async function strategyLived(type: string, quantity: string, parameters: Record<string, string | number>, change: (beganMs: number) => Partial<Strategy> = () => ({})): Promise<{ readonly world: StrategyVenue; readonly days: number; readonly placedOn: readonly number[]; readonly events: readonly number[] }> {
    const beganMs = await nowMs();
    const world = new StrategyVenue(type, beganMs, nowMs, quantity, parameters, change(beganMs));
    const { days, events } = await months.live(type, `strategy/${type}/${String(beganMs)}`, [{ strategyId: world.strategy.id }], world.all);
    return { world, days, events, placedOn: world.placedAtMs.map(dayOf(beganMs)) };
  }

  test('a TWAP over three months places each of its 30 slices on its day, whole, and looks no more than once a day in between', async () => {
    const { world, days, events, placedOn } = await strategyLived('twap', '9', { durationMs: 90 * DAY_MS, slices: 30 });
    expect([world.strategy.state, world.strategy.filledQuantity, world.children.map(({ leg: slice }) => slice)]).toEqual(['COMPLETED', '9', Array.from({ length: 30 }, (_, n) => `slice-${n}`)]);
    expect(placedOn.map((day) => Math.floor(day + 0.001))).toEqual(Array.from({ length: 30 }, (_, n) => 3 * n));
    expect(days).toBeLessThan(90);
    // One a day, and some around each order.
    expect(world.looks).toBeLessThan(90 + 30 * 6);
    expect(Math.max(...events)).toBeLessThan(LONGEST_HISTORY);
  }, 240_000);

  test('a strategy that begins three months from now places nothing before', async () => {
    const { world, placedOn, events } = await strategyLived('twap', '1', { durationMs: 2_000, slices: 1 }, (beganMs) => ({ startAt: iso(beganMs + 90 * DAY_MS) }));
    expect([world.strategy.state, placedOn.length]).toEqual(['COMPLETED', 1]);
    expect(placedOn[0]).toBeGreaterThanOrEqual(90);
    expect(events.length).toBe(1);
  }, 120_000);

  test('a bracket with a time limit of two months rests until then, and is closed at the market', async () => {
    const beganMs = await nowMs();
    const world = new ListVenue(beganMs, nowMs, { timeLimitMs: 60 * DAY_MS, legs: LEGS.BRACKET.filter(({ role }) => role !== 'takeProfit').map(leg) });
    const { days, events } = await months.live('orderList', `orderList/${String(beganMs)}`, [{ listId: world.list.id }], world.all);
    expect([world.list.state, world.list.legs.map(({ state }) => state)]).toEqual(['COMPLETED', ['FILLED', 'FILLED']]);
    expect(world.children.map(({ step, quantity }) => [step, quantity])).toEqual([['rest', '10'], ['market', '10']]);
    expect(days).toBeGreaterThanOrEqual(60);
    expect(days).toBeLessThan(61);
    expect(Math.max(...events)).toBeLessThan(LONGEST_HISTORY);
  }, 120_000);

  test('a pair of exits that ends by a date three months away ends then, with nothing left at the venue', async () => {
    const beganMs = await nowMs();
    const world = new ListVenue(beganMs, nowMs, { type: 'OCO', legs: [{ type: 'stopMarket' as const, limitPrice: null, triggerPrice: '90', triggerPriceType: 'mark' as const, gapPolicy: 'traded' as const }, { type: 'takeProfitMarket' as const, limitPrice: null, triggerPrice: '120', triggerPriceType: 'mark' as const, gapPolicy: 'traded' as const }].map(leg), expireTime: iso(beganMs + 91 * DAY_MS) });
    const { days } = await months.live('orderList', `orderList/${String(beganMs)}`, [{ listId: world.list.id }], world.all);
    expect([world.list.state, world.children.length, world.triggers.size]).toEqual(['EXPIRED', 0, 0]);
    expect(days).toBeGreaterThanOrEqual(91);
    expect(days).toBeLessThan(92);
  }, 120_000);
});
