/** A small world for an order list: its rows, its triggers, a venue that cuts reduce-only fills to what is held, and workers that crash. */
import { Decimal, decimal, decimalText, maxOf, minOf, sum, ZERO } from '../../../src/domain/decimal';
import { isOpenListChild, legTriggerId, breakEvenTriggerId, type ListChildPlan, type OrderList, type OrderListChild, type OrderListFacts, type OrderListType } from '../../../src/domain/order-list';
import { commandedTo, fitsShares, noted } from '../../../src/domain/order-list-commands';
import { CANCEL_PATIENCE_MS, openOf } from '../../../src/domain/order-list-shares';
import type { Trigger, TriggerEvidence } from '../../../src/domain/trigger';
import { OrderListRun, type OrderListStep } from '../../../src/workflows/state/order-list-run';
import { leg, LEGS, RULES, START_MS, type Happening } from './list-samples';

const ID = 'b0000000-0000-4000-8000-000000000001';

type Row = { -readonly [Field in keyof OrderListChild]: OrderListChild[Field] } & { atVenue: string };

export interface Planted {
  /** What the bug makes of the facts before a look; the store's own guard is off then. */
  readonly look?: (look: OrderListFacts) => OrderListFacts;
  readonly step?: (step: OrderListStep) => OrderListStep;
}

export class ListWorld {
  list: OrderList;
  readonly children: Row[] = [];
  readonly triggers = new Map<string, Trigger>();
  nowMs = START_MS;
  position: Decimal;
  /** The most that was ever held. */
  entered: Decimal;
  lastStep: OrderListStep | null = null;
  /** What was placed or armed although the list was told to end before that look. */
  readonly afterTheEnd: string[] = [];
  /** A cancel was not answered in time, and an exit went out beside what it concerned: from then on the venue alone bounds them. */
  private impatient = false;
  private thin = false;
  private crashBeforePlacing = false;
  private run = new OrderListRun();

  constructor(type: OrderListType, private readonly planted: Planted = {}, change: Partial<OrderList> = {}) {
    const at = new Date(START_MS).toISOString();
    this.list = {
      id: ID, clientListId: 'c', userId: 'u', accountId: 'a', venue: 'paper', symbol: 'X-PERP', type, state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false, legs: LEGS[type].map(leg),
      expireTime: null, timeLimitMs: null, closeAt: null, breakEvenAfter: null, revision: 1, ownerWorkflowId: `order-list/${ID}`, createdAt: at, updatedAt: at, endedAt: null, ...change,
    };
    this.position = type === 'OCO' || type === 'OUO' ? new Decimal(10) : ZERO;
    this.entered = this.position;
  }

  get isPlanted(): boolean {
    return this.planted.look !== undefined || this.planted.step !== undefined;
  }

  /** One look and what it leads to, as the workflow does it. */
  look(): void {
    for (const child of this.children) if (child.isPlaced && child.state === 'WORKING' && child.timeInForce === 'IOC') this.answerAtOnce(child);
    const wasEnding = this.list.pendingCancel || this.list.endedAt !== null;
    const facts: OrderListFacts = { list: this.list, children: this.children.map((child) => ({ ...child })), triggers: [...this.triggers.values()], markets: this.list.legs.map(() => ({ rules: RULES, signerId: 's', mark: '100', bid: '99.5', ask: '100.5' })) };
    const decided = this.run.step(this.planted.look?.(facts) ?? facts, this.nowMs);
    const step = this.planted.step?.(decided) ?? decided;
    this.lastStep = step;
    if (wasEnding && (step.place.length > 0 || step.triggers.arm.length > 0)) this.afterTheEnd.push(`${step.place.length} orders, ${step.triggers.arm.length} triggers`);
    const after = step.note === null ? this.list : noted(this.list, step.note, this.at()).list;
    if (!this.isPlanted && step.place.length > 0 && !fitsShares(after, this.children, step.place, this.nowMs)) throw new Error('the store would turn away what was decided on the same facts');
    this.list = after;
    const recorded = step.place.map((plan) => this.record(plan));
    for (const { n } of step.cancel) for (const child of this.children) if (child.n === n) child.cancelAskedAtMs ??= this.nowMs;
    if (this.crashBeforePlacing) {
      this.crashBeforePlacing = false;
      this.run = new OrderListRun();
      return;
    }
    for (const child of [...recorded, ...this.children.filter((each) => step.placeAgain.some((again) => again.n === each.n))]) this.place(child);
    for (const { n } of step.cancel) for (const child of this.children) if (child.n === n && isOpenListChild(child)) child.pendingCancel = true;
    this.settleTriggers(step);
  }

  happen(happening: Happening): void {
    switch (happening.kind) {
      case 'time':
        this.nowMs += happening.ms;
        break;
      case 'fill':
        this.withChild(happening.of, (child) => this.fill(child, happening.percent, true));
        break;
      case 'fillUnheard':
        this.withChild(happening.of, (child) => this.fill(child, happening.percent, false));
        break;
      case 'hear':
        this.withChild(happening.of, (child) => this.hear(child));
        break;
      case 'refuse':
        this.withChild(happening.of, (child) => child.atVenue === '0' && this.close(child, 'REJECTED', 'OTHER'));
        break;
      case 'lost':
        this.withChild(happening.of, (child) => (child.state = 'UNKNOWN'));
        break;
      case 'cancelConfirmed':
        this.withChild(happening.of, (child) => child.pendingCancel && this.close(child, 'CANCELED', 'CANCELED_BY_USER'));
        break;
      case 'takenBack':
        this.withChild(happening.of, (child) => this.close(child, 'CANCELED', 'CANCELED_BY_USER'));
        break;
      case 'cross':
      case 'falseCross':
        this.cross(happening.of, happening.kind === 'cross');
        break;
      case 'cancel':
      case 'halt':
        this.command(happening.kind === 'cancel' ? 'cancel' : 'stopEntries');
        break;
      case 'crash':
        this.run = new OrderListRun();
        break;
      case 'crashBeforePlacing':
        this.crashBeforePlacing = true;
        break;
      case 'thin':
        this.thin = true;
    }
  }

  /** The venue tells all it knows and confirms every cancel; nothing new fills. */
  calm(looks = 12): void {
    for (let count = 0; count < looks; count += 1) {
      for (const child of this.children) {
        if (!child.isPlaced || !isOpenListChild(child)) continue;
        this.hear(child);
        if (child.pendingCancel && isOpenListChild(child)) this.close(child, 'CANCELED', 'CANCELED_BY_USER');
        else if (child.state === 'UNKNOWN') child.state = 'WORKING';
      }
      this.nowMs += 1_000;
      this.look();
    }
  }

  /** The entry fills, then the stop's price comes: whatever was before, it must come to an end. */
  finish(): void {
    this.thin = false;
    for (let count = 0; count < 60 && this.list.endedAt === null; count += 1) {
      this.calm(1);
      for (const child of this.children) if (isOpenListChild(child) && child.isPlaced && child.leg === 0 && this.list.legs[0]?.reduceOnly === false) this.fill(child, 100, true);
      for (const each of this.list.legs) if (each.triggerPrice !== null) this.cross(each.n, true);
      if (count > 20) for (const child of this.children) if (isOpenListChild(child) && child.isPlaced) this.fill(child, 100, true);
      this.nowMs += 16_000;
    }
  }

  /** Throws where a position was reversed, more could be exited than is held, or an end was not one. */
  assertSound(): void {
    if (this.position.isNegative()) throw new Error(`reversed to ${this.position.toFixed()}`);
    if (this.afterTheEnd.length > 0) throw new Error(`after the end: ${this.afterTheEnd.join()}`);
    this.impatient ||= this.children.some((child) => child.cancelAskedAtMs !== null && isOpenListChild(child) && this.nowMs - child.cancelAskedAtMs >= CANCEL_PATIENCE_MS);
    if (this.list.type === 'BRACKET' && !this.impatient) {
      // A native stop waits for the price beside what rests: should both go off at once, the venue cuts them to what is held.
      const worst = this.worst((child) => child.leg > 0 && child.step !== 'native');
      if (worst.greaterThan(this.filledAtVenue((child) => child.leg === 0))) throw new Error(`exits could come to ${worst.toFixed()} of ${this.filledAtVenue((child) => child.leg === 0).toFixed()}`);
    }
    for (const { n } of this.list.legs) {
      const live = this.children.filter((child) => child.leg === n && child.step !== 'rest' && isOpenListChild(child)).length;
      if (live > 1) throw new Error(`leg ${n} has ${live} live orders in pursuit`);
    }
    const entry = this.worst((child) => this.list.legs[child.leg]?.reduceOnly === false);
    if (entry.greaterThan(10)) throw new Error(`the entry could come to ${entry.toFixed()} of 10`);
    if (this.list.endedAt !== null && this.children.some(isOpenListChild)) throw new Error('it ended with an order open');
  }

  /** What is filled by the rows, and what is open of a leg. */
  filledOf(n?: number): Decimal {
    return sum(this.children.filter((child) => n === undefined || child.leg === n).map((child) => decimal(child.filledQuantity)));
  }

  openOfLeg(n: number): Decimal {
    return sum(this.children.filter((child) => child.leg === n && isOpenListChild(child)).map(openOf));
  }

  private filledAtVenue(of: (child: Row) => boolean): Decimal {
    return sum(this.children.filter(of).map((child) => decimal(child.atVenue)));
  }

  private worst(of: (child: Row) => boolean): Decimal {
    return sum(this.children.filter(of).map((child) => (isOpenListChild(child) ? maxOf(decimal(child.quantity), decimal(child.atVenue)) : decimal(child.atVenue))));
  }

  private command(kind: 'cancel' | 'stopEntries'): void {
    const commanded = commandedTo(this.list, { kind, reason: 'somebody said so' }, this.children);
    if (commanded !== null) this.list = { ...this.list, ...commanded.change, revision: this.list.revision + 1 };
  }

  private record(plan: ListChildPlan): Row {
    const n = this.children.length + 1;
    const row: Row = { ...plan, n, orderId: `o${n}`, state: 'PENDING_RISK', isPlaced: false, filledQuantity: '0', atVenue: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, recordedAtMs: this.nowMs, cancelAskedAtMs: null, closedAtMs: null };
    this.children.push(row);
    return row;
  }

  /** Placing twice is placing once. */
  private place(child: Row): void {
    if (child.isPlaced) return;
    child.isPlaced = true;
    child.state = 'WORKING';
    if (this.list.legs[child.leg]?.reduceOnly === true && this.position.isZero() && this.list.endedAt === null) this.close(child, 'REJECTED', 'REDUCE_ONLY_WOULD_INCREASE');
  }

  private fill(child: Row, percent: number, heard: boolean): void {
    const leg = this.list.legs[child.leg];
    if (leg === undefined || child.state === 'PENDING_RISK') return;
    const left = decimal(child.quantity).minus(decimal(child.atVenue));
    const lots = left.times(percent).dividedBy(100).dividedBy('0.1').ceil().times('0.1');
    const amount = leg.reduceOnly ? minOf(minOf(lots, left), maxOf(this.position, ZERO)) : minOf(lots, left);
    child.atVenue = decimalText(decimal(child.atVenue).plus(amount));
    this.position = leg.side === 'buy' ? this.position.plus(amount) : this.position.minus(amount);
    this.entered = maxOf(this.entered, this.position);
    if (heard) this.hear(child);
  }

  private hear(child: Row): void {
    child.filledQuantity = child.atVenue;
    if (child.atVenue !== '0') child.avgPrice = child.limitPrice ?? '90';
    if (decimal(child.atVenue).greaterThanOrEqualTo(decimal(child.quantity))) this.close(child, 'FILLED', null);
    else if (child.state === 'WORKING' && child.atVenue !== '0') child.state = 'PARTIALLY_FILLED';
  }

  /** Evidence of an end tells every fill before it. */
  private close(child: Row, state: 'FILLED' | 'CANCELED' | 'REJECTED', reasonCode: string | null): void {
    child.filledQuantity = child.atVenue;
    if (child.atVenue !== '0') child.avgPrice = child.limitPrice ?? '90';
    Object.assign(child, { state, reasonCode, pendingCancel: false, closedAtMs: this.nowMs });
  }

  private answerAtOnce(child: Row): void {
    this.fill(child, this.thin ? 40 : 100, true);
    this.thin = false;
    if (isOpenListChild(child)) this.close(child, 'CANCELED', 'CANCELED_BY_VENUE');
  }

  private cross(n: number, holds: boolean): void {
    const each = this.list.legs[n % this.list.legs.length];
    if (each === undefined) return;
    for (const id of [legTriggerId(this.list.id, each), breakEvenTriggerId(this.list.id, each)]) {
      const trigger = this.triggers.get(id);
      if (trigger?.status !== 'ARMED') continue;
      const level = trigger.parameters.triggerPrice ?? '90';
      const evidence: TriggerEvidence = { triggerId: id, revision: trigger.revision, price: holds ? level : decimalText(decimal(level).plus(5)), priceType: trigger.parameters.priceType, source: 'paper', backup: false, origin: 'stream', extreme: null, level, atMs: this.nowMs, observedAtMs: this.nowMs, sequence: 1, scope: 'market/paper', epoch: 1 };
      this.triggers.set(id, { ...trigger, status: 'FIRED', evidence });
    }
  }

  private settleTriggers({ triggers }: OrderListStep): void {
    for (const intent of triggers.arm) if (!this.triggers.has(intent.id)) this.triggers.set(intent.id, { ...intent, workflowId: 'w', revision: 1, status: 'ARMED', extreme: null, armedAtMs: this.nowMs, checkpointAtMs: this.nowMs, evidence: null, acknowledged: false });
    for (const { triggerId, revision, parameters } of triggers.amend) this.change(triggerId, { revision, parameters });
    for (const id of triggers.disarm) this.change(id, { status: 'DISARMED' });
    for (const id of triggers.acknowledge) this.change(id, { acknowledged: true });
  }

  private change(id: string, change: Partial<Trigger>): void {
    const trigger = this.triggers.get(id);
    if (trigger !== undefined) this.triggers.set(id, { ...trigger, ...change });
  }

  private withChild(of: number, work: (child: Row) => unknown): void {
    const open = this.children.filter((child) => child.isPlaced && isOpenListChild(child));
    const child = open[of % Math.max(open.length, 1)];
    if (child !== undefined) work(child);
  }

  private at(): string {
    return new Date(this.nowMs).toISOString();
  }
}
