/** A conditional order decides the same whether it carries its children that have ended by name or as sums. */
import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, minOf } from '../../../src/domain/decimal';
import { foldedWith, NAMED_ENDED, NONE_FOLDED, type FoldedOrders } from '../../../src/domain/folded-orders';
import { isTerminal, UNCONDITIONAL, type OrderIntent, type OrderState } from '../../../src/domain/order';
import { supervisedView, type SupervisedOrder, type TradingState } from '../../../src/domain/supervised-order';
import { childrenEvidence } from '../../../src/workflows/state/conditional-memory';
import { ConditionalOrder } from '../../../src/workflows/state/conditional-order';
import type { Step } from '../../../src/workflows/state/conditional-steps';
import { sampleOrder } from '../domain/order-samples';

const RUNS = 200;
const seed = Number(process.env['SUREFILL_TEST_SEED'] ?? Date.now() % 2 ** 31);
/** What Temporal takes as one argument or answer. */
const PAYLOAD_LIMIT = 2 * 1024 * 1024;
const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

const INTENT: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000001', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'c1', venueClientId: 'v1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '100', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};
const CONDITION = { ...UNCONDITIONAL, execution: 'both', triggerPrice: '100', triggerPriceType: 'mark' } as const;
const MARKET: TradingState = { market: { tickRule: { kind: 'step', step: '1' }, lot: '1', minQuantity: '1', minNotional: '0', venueSymbol: 'BTC-PERP', status: 'open' }, signerId: 's1', position: '100', mark: '100', bid: '99', ask: '101', atMs: 0 };

type Fold = (order: ConditionalOrder) => void;
type Read = (order: ConditionalOrder, rows: readonly SupervisedOrder[]) => readonly SupervisedOrder[];

const NOTHING: Read = () => [];

/** The rows that the database has, and one order of them, by name or folded. */
class World {
  readonly rows: SupervisedOrder[] = [];
  readonly ids: string[] = [];
  nowMs = START_MS;
  order: ConditionalOrder;

  constructor(private readonly fold: Fold | null, private readonly extra: Read = NOTHING) {
    this.order = new ConditionalOrder(INTENT, CONDITION, null);
  }

  private get evidence() {
    return childrenEvidence(this.order, '');
  }

  /** What it comes to rest at: the step, and what its row is told. */
  settle(): unknown {
    let market: TradingState | null = null;
    for (let steps = 0; steps < 50; steps += 1) {
      const step: Step = this.order.next(this.nowMs, market);
      market = step.kind === 'readMarket' ? MARKET : null;
      if (step.kind === 'arm') this.order.armed(step.version);
      else if (step.kind === 'fire') this.order.triggered(step.fired);
      else if (step.kind === 'cancelChild') this.order.cancelSent(step.child, this.nowMs);
      else if (step.kind === 'place') this.place(step);
      else if (step.kind !== 'readMarket') return { step, ids: [...this.ids], evidence: this.evidence, failures: [this.order.failures, this.order.nativeFailures] };
    }
    throw new Error('it does not come to rest');
  }

  change(index: number, to: (row: SupervisedOrder) => Partial<SupervisedOrder>): void {
    const at = this.rows.length === 0 ? -1 : this.rows.length - 1 - (index % this.rows.length);
    const row = this.rows[at];
    if (row !== undefined) this.rows[at] = { ...row, ...to(row), revision: row.revision + 1, updatedAt: new Date(this.nowMs).toISOString() };
  }

  /** As the activity reads them: those named, all that are open, and the sums of the others. */
  look(missing = 0): void {
    const rows = this.rows.slice(0, Math.max(this.rows.length - missing, 0));
    const named = new Set(this.order.children.map(({ orderId }) => orderId));
    const shown = rows.filter(({ id, state }) => named.has(id) || (this.order.folded.count > 0 && !isTerminal(state)));
    const others = rows.filter((row) => !shown.includes(row));
    if (this.order.folded.count > 0) this.order.foldedSeen(foldedWith(NONE_FOLDED, [...others, ...this.extra(this.order, rows)]), shown);
    else for (const row of shown) this.order.childSeen(row);
    this.fold?.(this.order);
  }

  continueAsNew(): void {
    this.order = new ConditionalOrder(INTENT, this.order.condition, JSON.parse(JSON.stringify(this.order.memory())));
  }

  private place({ n, step, version, terms }: Extract<Step, { kind: 'place' }>): void {
    const id = `child-${n}`;
    this.ids.push(id);
    this.rows.push({ ...supervisedView(sampleOrder({ id, clientOrderId: `${INTENT.id}.${step === 'native' ? 1 : 0}.${n}`, type: 'market', timeInForce: 'IOC', state: 'WORKING', quantity: terms.quantity, filledQuantity: '0', avgPrice: null, fee: '0', feeAsset: null, revision: 1, updatedAt: new Date(this.nowMs).toISOString() })) });
    this.order.placed(n, step, id, this.nowMs, version);
  }
}

type Happening =
  | { readonly kind: 'end'; readonly as: OrderState; readonly reason: string | null }
  /** `of`: 0 is the newest. */
  | { readonly kind: 'fill'; readonly of: number; readonly quantity: number }
  | { readonly kind: 'reopen'; readonly of: number }
  | { readonly kind: 'look' | 'trigger' | 'cancel' | 'continueAsNew' }
  | { readonly kind: 'time'; readonly ms: number };

const ends = fc.record({ kind: fc.constant('end' as const), as: fc.constantFrom<OrderState>('REJECTED', 'DENIED', 'EXPIRED', 'CANCELED'), reason: fc.constantFrom(null, 'VENUE_REJECTED') });
/** Refused, seen and tried again after a while. */
const refusal = ends.map((end): Happening[] => [end, { kind: 'look' }, { kind: 'time', ms: 16_000 }]);
const other: fc.Arbitrary<Happening[]> = fc
  .oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('fill' as const), of: fc.nat({ max: 12 }), quantity: fc.integer({ min: 1, max: 9 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), of: fc.nat({ max: 12 }) }) },
    { weight: 2, arbitrary: fc.constantFrom<Happening>({ kind: 'look' }, { kind: 'trigger' }, { kind: 'continueAsNew' }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  )
  .map((each) => [each, { kind: 'look' }]);
const happenings = fc.array(fc.oneof({ weight: 3, arbitrary: refusal }, { weight: 2, arbitrary: other }), { maxLength: 40 }).map((each) => each.flat());

function happen(world: World, happening: Happening): unknown {
  switch (happening.kind) {
    case 'end':
      world.change(0, ({ state }) => (isTerminal(state) ? {} : { state: happening.as, reasonCode: happening.reason }));
      break;
    case 'fill':
      // Also of one that has ended: it was filled before its end, and nobody had heard.
      world.change(happening.of, ({ quantity, filledQuantity }) => {
        const filled = minOf(decimal(filledQuantity).plus(decimal(String(happening.quantity))), decimal(quantity));
        return filled.isZero() ? {} : { filledQuantity: decimalText(filled), avgPrice: `9${happening.quantity}`, fee: decimalText(filled), feeAsset: 'USDC' };
      });
      break;
    case 'reopen':
      // Its refusal was concluded, and the venue works it after all.
      world.change(happening.of, ({ state }) => (state === 'REJECTED' ? { state: 'WORKING', reasonCode: null } : {}));
      break;
    case 'look':
      world.look();
      break;
    case 'trigger':
      world.order.triggered({ by: 'trigger', level: '100', atMs: world.nowMs, evidence: {} });
      break;
    case 'cancel':
      world.order.cancelAsked = true;
      break;
    case 'continueAsNew':
      world.continueAsNew();
      break;
    case 'time':
      world.nowMs += happening.ms;
  }
  return world.settle();
}

/** As text, since what differs may be long; of an open child only which it is: what it is of itself differs by nature. */
function comparable(told: unknown): string {
  return JSON.stringify(told, (key, value: unknown) => (key === 'child' ? (value as { readonly orderId: string }).orderId : value));
}

const theSame = (fold: Fold, extra?: Read) =>
  fc.property(happenings, (all) => {
    const [whole, folding] = [new World(null), new World(fold, extra)];
    for (const world of [whole, folding]) world.settle();
    return all.every((each) => comparable(happen(folding, each)) === comparable(happen(whole, each)));
  });

it('places, waits, ends and reports the same, whatever fills late, is open again, or is continued as new', () => {
  fc.assert(theSame((order) => order.fold(2)), { numRuns: RUNS, seed });
});

describe('a planted bug is found:', () => {
  const foldedAs = (of: (folded: FoldedOrders) => FoldedOrders): Fold => (order) => {
    order.fold(2);
    order.folded = of(order.folded);
  };
  test.each<[string, Fold, Read]>([
    ['numbers begin anew when children are folded', foldedAs((folded) => ({ ...folded, count: 0 })), NOTHING],
    ['what folded children filled is forgotten', foldedAs((folded) => ({ ...folded, filledQuantity: '0', value: '0', fee: '0' })), NOTHING],
    ['the newest child is folded too', (order) => order.fold(0), NOTHING],
    ['one that is open again is taken for over', (order) => {
      order.fold(2);
      order.foldedSeen = (read, orders) => ConditionalOrder.prototype.foldedSeen.call(order, read, orders.filter(({ id }) => order.children.some(({ orderId }) => orderId === id)));
    }, NOTHING],
    ['named children are counted once more among the folded', (order) => order.fold(2), (order, rows) => rows.filter(({ id }) => order.children.some(({ orderId }) => orderId === id))],
  ])('%s', (_bug, fold, extra) => {
    expect(fc.check(theSame(fold, extra), { numRuns: RUNS, seed: 7, endOnFailure: true }).failed).toBe(true);
  });
});

describe('an exit that is refused for a day, as in a halted market', () => {
  /** By 15 s a try. */
  function refused(world: World, times: number): void {
    happen(world, { kind: 'trigger' });
    for (let n = 0; n < times; n += 1) {
      world.change(0, () => ({ state: 'REJECTED', reasonCode: 'VENUE_REJECTED', reasonMessage: 'the market is halted' }));
      happen(world, { kind: 'look' });
      happen(world, { kind: 'time', ms: 16_000 });
    }
  }

  test('carries no more than after its first minutes, and shows the newest tries', () => {
    const world = new World((order) => order.fold());
    refused(world, 400);
    const carried = JSON.stringify(world.order.memory());
    expect(carried.length).toBeLessThan(PAYLOAD_LIMIT / 100);
    expect(world.order.children.map(({ n }) => n)).toEqual(Array.from({ length: NAMED_ENDED + 1 }, (_, index) => 400 - NAMED_ENDED + index));
    expect(world.ids).toEqual(Array.from({ length: 401 }, (_, n) => `child-${n}`));
  });

  test('would come to more than Temporal takes within a day if it carried all by name', () => {
    const world = new World(null);
    refused(world, 100);
    expect((JSON.stringify(world.order.memory()).length / 100) * 5_760).toBeGreaterThan(PAYLOAD_LIMIT);
  });

  test('counts what an early try filled after all, once', () => {
    const world = new World((order) => order.fold());
    refused(world, 100);
    world.change(90, () => ({ filledQuantity: '40', avgPrice: '99', fee: '1', feeAsset: 'USDC' }));
    for (let n = 0; n < 3; n += 1) happen(world, { kind: 'look' });
    expect([decimalText(world.order.rest), childrenEvidence(world.order, '')]).toEqual(['60', expect.objectContaining({ filledQuantity: '40', avgPrice: '99', fee: '1', feeAsset: 'USDC' })]);
  });

  test('does not forget what was filled where a restored database lacks those orders', () => {
    const world = new World((order) => order.fold());
    refused(world, 100);
    world.change(90, () => ({ filledQuantity: '40', avgPrice: '99' }));
    world.look();
    world.look(95);
    expect(decimalText(world.order.rest)).toBe('60');
  });

  test('counts it once where such an order is read back first, and what it filled is heard later', () => {
    const world = new World((order) => order.fold());
    refused(world, 100);
    world.change(90, () => ({ state: 'CANCELED', filledQuantity: '40', avgPrice: '99' }));
    world.look();
    const rests = (['UNKNOWN', 'CANCELED'] as const).flatMap((state) => {
      world.change(90, () => ({ state, filledQuantity: state === 'UNKNOWN' ? '0' : '40', avgPrice: state === 'UNKNOWN' ? null : '99' }));
      return [1, 2].map(() => (world.look(), decimalText(world.order.rest)));
    });
    expect(rests).toEqual(['60', '60', '60', '60']);
  });
});

test('nothing is folded before there are more that have ended than are named', () => {
  const world = new World((order) => order.fold());
  happen(world, { kind: 'trigger' });
  happen(world, { kind: 'end', as: 'REJECTED', reason: null });
  happen(world, { kind: 'look' });
  expect(world.order.folded).toEqual(NONE_FOLDED);
});
