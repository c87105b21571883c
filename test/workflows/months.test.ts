/**
 * Waits of months by Temporal's clock, which its test server moves on while nothing is to be done: an order that ends by a date, one that begins
 * by a date, and a native stop that its venue keeps for ten days only. No wait is made shorter.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordConditionalResult } from '../../src/activities/conditional-activities';
import type { OrderCondition } from '../../src/domain/condition';
import { UNCONDITIONAL, type OrderIntent } from '../../src/domain/order';
import { supervisedView, type SupervisedOrder } from '../../src/domain/supervised-order';
import { findTestServer } from '../support/temporal-test-server';
import { sampleOrder } from '../unit/domain/order-samples';
import { DAY_MS, LONGEST_HISTORY, SkippedMonths } from './skipped-months';

const found = findTestServer();
if ('missing' in found) process.stderr.write(`SKIPPED: waits of months: no Temporal test server: ${found.missing}\n`);
const run = 'program' in found ? describe : describe.skip;

const INTENT: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000009', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'stop-1', venueClientId: 'v9', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '0.5', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};

interface Life {
  readonly state: string | null;
  readonly days: number;
  readonly world: World;
  readonly beganMs: number;
  readonly events: readonly number[];
}

/** What the world answers to the order's workflow: children rest, or fill, until they are canceled. */
class World {
  readonly placed: { readonly id: string; readonly atMs: number }[] = [];
  readonly canceled = new Set<string>();
  readonly noted: string[] = [];

  constructor(
    private readonly condition: OrderCondition,
    private readonly fills: boolean,
    private readonly nativeExpiresAfterMs: number | null,
    private readonly nowMs: () => Promise<number>,
  ) {}

  readonly activities = {
    recordConditional: async (): Promise<RecordConditionalResult> => ({
      verdict: 'accepted',
      held: { state: 'ARMED', quantity: '0.5', limitPrice: null, condition: this.condition, pendingCancel: false, triggeredAtMs: null, revision: 1, armedRevision: this.condition.triggerPrice === null ? null : 1, children: [] },
      nativeExpiresAfterMs: this.nativeExpiresAfterMs,
    }),
    noteConditional: async ({ evidence }: { evidence: readonly { kind: string }[] }) => {
      this.noted.push(...evidence.map(({ kind }) => kind));
      return { state: 'ARMED', revision: 2 };
    },
    raiseOrderAlert: async () => undefined,
    armTrigger: async ({ trigger }: { trigger: object }) => ({ ...trigger, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, evidence: null, acknowledged: false }),
    disarmTrigger: async () => null,
    readTradingState: async () => ({ market: { tickRule: { kind: 'step', step: '0.5' }, lot: '0.001', minQuantity: '0.001', minNotional: '10', venueSymbol: 'BTC-PERP', status: 'open' }, signerId: 's1', position: '0.5', mark: '60000', bid: '59999', ask: '60001', atMs: 1 }),
    placeOrders: async ({ intents }: { intents: readonly OrderIntent[] }) => {
      for (const { id } of intents) this.placed.push({ id, atMs: await this.nowMs() });
      return { group: { items: intents.map(({ id }) => ({ orderId: id, verdict: 'accepted' })), calls: [{ attemptId: 't1', venue: 'paper', accountId: 'a1', orderIds: intents.map(({ id }) => id), exit: true }] }, openOrderIds: [], unsent: [] };
    },
    requestMutation: async ({ intent }: { intent: { orderId: string } }) => {
      this.canceled.add(intent.orderId);
      return { verdict: 'accepted', attemptId: 't1', code: null, message: null, step: { kind: 'settled', verdict: 'applied', code: null, message: null } };
    },
    readOrders: async ({ orderIds }: { orderIds: readonly string[] }): Promise<readonly SupervisedOrder[]> => orderIds.map((id) => this.row(id)),
  };

  private row(id: string): SupervisedOrder {
    const isOver = this.canceled.has(id);
    const filled = this.fills ? { state: 'FILLED', filledQuantity: '0.5', avgPrice: '60000', leavesQuantity: '0' } as const : {};
    return { ...supervisedView(sampleOrder({ id, quantity: '0.5', leavesQuantity: '0.5', state: 'WORKING', revision: isOver ? 4 : 3, ...filled })), ...(isOver ? { state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' } : {}) };
  }
}

run('an order that waits for months', () => {
  let months: SkippedMonths;

  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    months = await SkippedMonths.open(found.program);
  }, 300_000);
  afterAll(() => months.close());

  const isoAfter = (nowMs: number, days: number): string => new Date(nowMs + days * DAY_MS).toISOString();

  /** Runs it to its end; what became of it, after how many days, and what the world saw. */
  async function lived(intent: OrderIntent, condition: (nowMs: number) => OrderCondition, options: { readonly fills?: boolean; readonly nativeExpiresAfterMs?: number } = {}): Promise<Life> {
    const made = condition(await months.nowMs());
    const world = new World(made, options.fills ?? false, options.nativeExpiresAfterMs ?? null, () => months.nowMs());
    const { result, ...life } = await months.live('conditionalOrder', `conditional/${intent.type}/${made.execution}/${made.startAt ?? ''}`, [{ intent: { ...intent, condition: made } }], world.activities);
    return { state: (result as { state: string | null }).state, world, ...life };
  }

  const stop = { ...UNCONDITIONAL, triggerPrice: '50000', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;

  test('that ends by a date half a year away ends then, and not before', async () => {
    const { state, days, world, events } = await lived(INTENT, (nowMs) => ({ ...stop, execution: 'durable', expireTime: isoAfter(nowMs, 180) }));
    expect([state, world.placed.length]).toEqual(['EXPIRED', 0]);
    expect(days).toBeGreaterThanOrEqual(180);
    expect(days).toBeLessThan(181);
    // It waits by one timer.
    expect(events.length).toBe(1);
    expect(events[0]).toBeLessThan(30);
  }, 120_000);

  test('that begins by a date three months away is placed then, once', async () => {
    const { state, world, beganMs } = await lived({ ...INTENT, type: 'market', side: 'buy', reduceOnly: false }, (nowMs) => ({ ...UNCONDITIONAL, execution: 'durable', startAt: isoAfter(nowMs, 90) }), { fills: true });
    expect([state, world.placed.length, world.noted.filter((kind) => kind === 'triggered').length]).toEqual(['FILLED', 1, 1]);
    expect(((world.placed[0]?.atMs ?? 0) - beganMs) / DAY_MS).toBeGreaterThanOrEqual(90);
  }, 120_000);

  test('with a native stop that the venue keeps for ten days places it anew each nine, never two at once, and takes it away at its end', async () => {
    const { state, world, beganMs, events } = await lived(INTENT, (nowMs) => ({ ...stop, execution: 'both', expireTime: isoAfter(nowMs, 32) }), { nativeExpiresAfterMs: 10 * DAY_MS });
    expect([state, world.placed.length, world.canceled.size]).toEqual(['EXPIRED', 4, 4]);
    expect(world.placed.map(({ atMs }) => Math.round((atMs - beganMs) / DAY_MS))).toEqual([0, 9, 18, 27]);
    // It looks at its row each hour: where that makes a history long, another execution goes on.
    expect(events.length).toBeGreaterThan(1);
    expect(Math.max(...events)).toBeLessThan(LONGEST_HISTORY);
  }, 120_000);
});
