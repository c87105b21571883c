import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { childClientOrderId } from '../../../src/domain/client-ids';
import { UNCONDITIONAL, type OrderIntent, type OrderState } from '../../../src/domain/order';
import { decimal, decimalText, maxOf, minOf, ZERO, type Decimal } from '../../../src/domain/decimal';
import type { SupervisedOrder, TradingState } from '../../../src/domain/supervised-order';
import { ConditionalOrder } from '../../../src/workflows/state/conditional-order';
import type { Step } from '../../../src/workflows/state/conditional-steps';
import { sampleOrder } from '../domain/order-samples';

const INTENT: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000001', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'c1', venueClientId: 'v1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '10', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};
const MARKET: TradingState = { market: { tickRule: { kind: 'step', step: '1' }, lot: '1', minQuantity: '1', minNotional: '0', venueSymbol: 'BTC-PERP', status: 'open' }, signerId: 's1', position: '10', mark: '100', bid: '99', ask: '101', atMs: 0 };

/** A venue that does what it is told to, when the schedule says so; it counts what it holds. */
interface VenueChild {
  readonly n: number;
  readonly quantity: Decimal;
  filled: Decimal;
  state: OrderState;
  cancelAsked: boolean;
  revision: number;
}

type Happening =
  | { readonly kind: 'trigger' | 'cancel' | 'look' | 'venueTakesCancel' | 'venueRefuses' | 'reset' }
  | { readonly kind: 'fill'; readonly quantity: number }
  /** `placing`: while the order that was decided on is on its way. */
  | { readonly kind: 'amend' | 'amendPlacing'; readonly quantity: number }
  | { readonly kind: 'time'; readonly ms: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<Happening>({ kind: 'trigger' }) },
  { weight: 1, arbitrary: fc.constantFrom<Happening>({ kind: 'cancel' }, { kind: 'venueRefuses' }, { kind: 'reset' }) },
  { weight: 4, arbitrary: fc.constantFrom<Happening>({ kind: 'look' }, { kind: 'venueTakesCancel' }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('fill' as const), quantity: fc.integer({ min: 1, max: 10 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('amend' as const, 'amendPlacing' as const), quantity: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
);

const setup = fc.record({ type: fc.constantFrom('stopMarket', 'stopLimit'), execution: fc.constantFrom('durable', 'both'), escalates: fc.boolean(), happenings: fc.array(happening, { maxLength: 40 }) });

class World {
  nowMs = 1_000_000;
  readonly venue: VenueChild[] = [];
  /** What is held, and so can be exited from: the venue cuts reduce-only fills to it. */
  position = decimal('1000');
  exited = ZERO;
  order: ConditionalOrder;
  end: Extract<Step, { kind: 'end' }> | null = null;
  wasTriggered = false;
  wasCanceled = false;
  private readonly intent: OrderIntent;
  private amendPlacing: string | null = null;

  constructor({ type, execution, escalates }: { readonly type: string; readonly execution: string; readonly escalates: boolean }, private readonly make: (...given: ConstructorParameters<typeof ConditionalOrder>) => ConditionalOrder) {
    const limit = type === 'stopLimit';
    this.intent = { ...INTENT, type: limit ? 'stopLimit' : 'stopMarket', limitPrice: limit ? '95' : null };
    const condition = { ...UNCONDITIONAL, execution: execution === 'both' ? 'both' as const : 'durable' as const, triggerPrice: '100', triggerPriceType: 'mark' as const, escalation: limit && escalates ? { chaseAfterMs: 2_000, marketAfterMs: 3_000, slippageBps: 50 } : null };
    this.order = make(this.intent, condition, null);
  }

  happen(happening: Happening): void {
    const live = this.venue.find((child) => open(child));
    switch (happening.kind) {
      case 'trigger':
        if (this.order.fired === null && !this.order.cancelAsked && this.end === null) {
          this.wasTriggered = true;
          this.order.triggered({ by: 'trigger', level: '100', atMs: this.nowMs, evidence: {} });
        }
        break;
      case 'cancel':
        this.wasCanceled = true;
        this.order.cancelAsked = true;
        break;
      case 'look':
        this.look();
        break;
      case 'fill':
        for (const child of this.venue.filter(open).slice(0, 1)) this.fill(child, decimal(String(happening.quantity)));
        break;
      case 'venueTakesCancel':
        if (live?.cancelAsked === true) this.close(live, 'CANCELED');
        break;
      case 'venueRefuses':
        if (live !== undefined && live.filled.isZero()) this.close(live, 'REJECTED');
        break;
      case 'amend':
        this.amend(String(happening.quantity));
        break;
      case 'amendPlacing':
        this.amendPlacing = String(happening.quantity);
        break;
      case 'reset':
        this.order = this.make(this.intent, this.order.condition, JSON.parse(JSON.stringify(this.order.memory())));
        break;
      case 'time':
        this.nowMs += happening.ms;
    }
    this.settle();
  }

  /** Takes steps until it waits; each is carried out at the venue at once, or only when the schedule says so. */
  settle(): void {
    let market: TradingState | null = null;
    for (let steps = 0; this.end === null; steps += 1) {
      if (steps > 100) throw new Error('it does not come to rest');
      const step = this.order.next(this.nowMs, market);
      market = null;
      if (step.kind === 'wait') return;
      if (step.kind === 'readMarket') market = MARKET;
      if (step.kind === 'arm') this.order.armed(step.version);
      if (step.kind === 'fire') this.order.triggered(step.fired);
      if (step.kind === 'place') {
        expect(this.venue.filter(open)).toEqual([]);
        this.venue.push({ n: step.n, quantity: decimal(step.terms.quantity), filled: ZERO, state: 'WORKING', cancelAsked: false, revision: 1 });
        if (this.amendPlacing !== null) this.amend(this.amendPlacing);
        this.amendPlacing = null;
        this.order.placed(step.n, step.step, idOf(step.n), this.nowMs, step.version);
      }
      if (step.kind === 'cancelChild') {
        const child = this.venue.find(({ n }) => n === step.child.n);
        if (child !== undefined) child.cancelAsked = true;
        this.order.cancelSent(step.child, this.nowMs);
      }
      if (step.kind === 'end') this.end = step;
    }
  }

  /** Cancels are taken and every row is read; nothing fills. */
  calm(): void {
    for (let rounds = 0; rounds < 4; rounds += 1) {
      for (const child of this.venue.filter(open)) if (child.cancelAsked) this.close(child, 'CANCELED');
      this.look();
      this.settle();
    }
  }

  /** Everything at the venue goes its way and every row is read. */
  runOut(): void {
    for (let rounds = 0; rounds < 60 && this.end === null; rounds += 1) {
      for (const child of this.venue.filter(open)) {
        if (child.cancelAsked) this.close(child, 'CANCELED');
        else if (this.order.fired !== null && this.order.children.at(-1)?.step !== 'native') this.fill(child, child.quantity);
      }
      this.look();
      this.nowMs += 20_000;
      this.settle();
    }
  }

  /** Taken under the order's row lock, so never after it fired. */
  private amend(quantity: string): void {
    if (this.order.fired === null && this.end === null && decimal(quantity).greaterThan(this.exited)) this.order.amended({ quantity });
  }

  private fill(child: VenueChild, quantity: Decimal): void {
    const part = minOf(quantity, minOf(child.quantity.minus(child.filled), this.position));
    child.filled = child.filled.plus(part);
    this.position = this.position.minus(part);
    this.exited = this.exited.plus(part);
    child.revision += 1;
    child.state = child.filled.equals(child.quantity) ? 'FILLED' : 'PARTIALLY_FILLED';
  }

  private close(child: VenueChild, state: OrderState): void {
    child.state = state;
    child.revision += 1;
  }

  private look(): void {
    for (const child of this.venue) this.order.childSeen(this.viewOf(child));
  }

  private viewOf(child: VenueChild): SupervisedOrder {
    const { n, state, quantity, filled, revision, cancelAsked } = child;
    return { ...sampleOrder({ id: idOf(n), clientOrderId: childClientOrderId({ parentId: INTENT.id, leg: 0, child: n }), state, quantity: decimalText(quantity), filledQuantity: decimalText(filled), avgPrice: filled.isZero() ? null : '99', revision, pendingCancel: cancelAsked && open(child), updatedAt: new Date(this.nowMs).toISOString() }) };
  }
}

const idOf = (n: number): string => `child-${n}`;
const open = (child: VenueChild): boolean => child.state === 'WORKING' || child.state === 'PARTIALLY_FILLED';

/** Each planted bug is met by these sequences; random ones miss the rare of them now and then. */
const PLANTED = { seed: 3, numRuns: 3_000 };

function check(make: (...given: ConstructorParameters<typeof ConditionalOrder>) => ConditionalOrder, runs: { readonly numRuns: number; readonly seed?: number } = { numRuns: 1_500 }): void {
  fc.assert(
    fc.property(setup, ({ happenings, ...terms }) => {
      const world = new World(terms, make);
      world.settle();
      for (const each of happenings) {
        world.happen(each);
        // Never more exited than was asked for, whatever is read late; and never two children live (asserted where one is placed).
        const most = Math.max(...[...happenings.flatMap((one) => (one.kind === 'amend' || one.kind === 'amendPlacing' ? [one.quantity] : [])), 10]);
        expect(world.exited.lessThanOrEqualTo(decimal(String(most)))).toBe(true);
      }
      const { quantity } = world.order;
      // What stands at the venue in a calm is of the newest terms.
      if (world.order.fired === null && !world.wasCanceled) {
        world.calm();
        for (const child of world.venue.filter(open)) expect(child.quantity.equals(world.order.rest)).toBe(true);
      }
      // A native stop of the terms before an amendment may fill before its cancel arrives: that much was asked for once.
      const inFlight = world.venue.filter(open).map((child) => child.quantity);
      world.runOut();
      expect(world.exited.lessThanOrEqualTo([decimal(quantity), ...inFlight].reduce(maxOf)) || inFlight.length === 0).toBe(true);
      expect(world.venue.filter(open).length).toBeLessThanOrEqual(1);
      // A trigger that was told is never lost: the whole is exited unless its user took it back.
      if (world.wasTriggered && !world.wasCanceled) expect([world.end?.state, world.exited.greaterThanOrEqualTo(decimal(quantity))]).toEqual(['FILLED', true]);
      if (world.wasCanceled) expect([world.end !== null, world.venue.filter(open).length]).toEqual([true, 0]);
    }),
    runs,
  );
}

describe('a conditional order under every order of triggers, fills, cancels, amends, losses and looks', () => {
  test('never has two live children, never exits more than asked, never loses a trigger, never outlives a cancel', () => check((...given) => new ConditionalOrder(...given)));

  class Forgetful extends ConditionalOrder {
    override memory() {
      return { ...super.memory(), fired: null };
    }
  }
  class Impatient extends ConditionalOrder {
    override get live() {
      return this.children.find(({ view }) => view !== null && view.state === 'WORKING' && this.fired === null) ?? null;
    }
  }
  class Greedy extends ConditionalOrder {
    override get rest() {
      const { quantity } = this.filled;
      return quantity.greaterThanOrEqualTo(decimal(this.quantity)) ? ZERO : decimal(this.quantity);
    }
  }
  class Misdating extends ConditionalOrder {
    override placed(...[n, step, orderId, nowMs]: Parameters<ConditionalOrder['placed']>) {
      super.placed(n, step, orderId, nowMs, this.termsVersion);
    }
  }
  test.each([
    ['takes a stop of the terms before for one of the terms after', Misdating],
    ['forgets its trigger when it is continued as new', Forgetful],
    ['places the next child before the last has ended', Impatient],
    ['places the whole again after a partial fill', Greedy],
  ])('a state machine that %s is found out', (_what, Broken) => {
    expect(() => check((...given) => new Broken(...given), PLANTED)).toThrow();
  });
});
