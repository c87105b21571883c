/** One execution of a conditional order: what was told since the last step, and how each step is carried out. */
import { condition, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { HeldOrderView } from '../activities/conditional-activities';
import type { SupervisionActivities } from '../activities/supervision-activities';
import type { TriggerActivities } from '../activities/trigger-activities';
import type { HeldTerms } from '../domain/evidence';
import { isTerminal, type OrderState } from '../domain/order';
import type { StandingOrder } from '../domain/remembered-orders';
import type { TradingState } from '../domain/supervised-order';
import { disproof, triggerOf, type Trigger, type TriggerEvidence } from '../domain/trigger';
import { LOCAL_ACTIVITY } from '../temporal/activity-options';
import { cancelChild, CHILD_LOOK_MS, placeChild } from './child-orders';
import { conditionalChild } from './conditional-child';
import { ConditionalRow } from './conditional-row';
import type { ConditionalOrderInput, ConditionalOutcome, MutationOutcome } from './messages';
import type { RulesOfRun } from './rules-of-run';
import { childrenEvidence, memoryOfRow, waitingOf } from './state/conditional-memory';
import { ConditionalOrder, MAX_NATIVE_FAILURES } from './state/conditional-order';
import type { ConditionalMemory, Fired, Step } from './state/conditional-steps';

const { armTrigger, amendTrigger, disarmTrigger, acknowledgeTrigger } = proxyLocalActivities<TriggerActivities>({ ...LOCAL_ACTIVITY, summary: 'the order\'s trigger' });
const { readOrders, readChildren, readTradingState } = proxyLocalActivities<SupervisionActivities>({ ...LOCAL_ACTIVITY, summary: 'read children, prices and position' });

/** Without a hint, the row of a native stop is read this often: the venue has it, and the durable one does not need it. */
const QUIET_LOOK_MS = 3_600_000;
/** Exits that ended without a fill before somebody is told. */
const ALERT_AFTER_FAILURES = 3;

export class ConditionalRun {
  state: ConditionalOrder;
  verdict: ConditionalOutcome['verdict'] | null = null;
  readonly crossings: TriggerEvidence[] = [];
  rowsChanged = false;
  /** Amends whose transaction is under way: until it is known whether they were taken, no crossing is judged. */
  private amending = 0;
  /** Counts what handlers changed, so that a wait ends. */
  private told = 0;
  private market: TradingState | null = null;
  private notedFill = '';
  /** Of its row when this run began: its terms have what was amended before. */
  private begunAtRevision = 0;
  private readonly row: ConditionalRow;

  constructor(private readonly input: ConditionalOrderInput, private readonly holds: RulesOfRun) {
    this.state = new ConditionalOrder(input.intent, waitingOf(input.intent), input.memory ?? null);
    this.row = new ConditionalRow(input.intent, () => this.state);
  }

  get ended(): OrderState | null {
    return this.row.ended;
  }

  /** From the row: this may be the first execution, the next one, or one that takes over from an execution that was lost. */
  begin(held: HeldOrderView, nativeExpiresAfterMs: number | null): void {
    this.state = new ConditionalOrder(this.input.intent, held.condition, this.input.memory ?? memoryOfRow(held, this.input.intent), nativeExpiresAfterMs);
    this.state.cancelAsked ||= held.pendingCancel;
    this.row.terms.begin(this.state, held, this.input.memory ?? null, workflowInfo().startTime.getTime());
    this.begunAtRevision = held.revision;
    if (isTerminal(held.state)) this.row.ended = held.state;
    this.foldEnded();
    this.rowsChanged = this.state.children.length > 0;
    this.row.show(held.state);
  }

  /** Whether another execution may go on from what is remembered. A look at the rows that is due is no reason against it: that one begins with a look. */
  get isQuiet(): boolean {
    return this.amending === 0 && this.crossings.length === 0 && (!this.rowsChanged || this.holds('looks-continue-as-new'));
  }

  /** For a row that a restored database has lost, or has with older terms. */
  standing(): StandingOrder | null {
    return this.row.standing();
  }

  /** Carried over continue-as-new. */
  memory(): ConditionalMemory {
    return this.row.terms.memory(this.state);
  }

  /** Update handler. */
  async amend({ expectedRevision, terms }: { readonly expectedRevision: number; readonly terms: HeldTerms }): Promise<MutationOutcome> {
    await condition(() => this.verdict !== null);
    this.amending += 1;
    try {
      const { verdict, code, message } = await this.row.amend(expectedRevision, terms);
      if (verdict === 'applied') this.amended(terms, expectedRevision + 1);
      return { verdict, code, message };
    } finally {
      this.amending -= 1;
      this.told += 1;
    }
  }

  /** The venue may take a native stop of these terms, whatever it said of the ones before. */
  private amended(terms: HeldTerms, revision: number): void {
    this.row.terms.amended(revision, Date.now());
    if (this.holds('native-stop-after-amendment')) this.state.nativeFailures = 0;
    // The row took it, though this run was about to fire; what is asked for again it has already.
    const [isNew, asBefore] = [revision > this.begunAtRevision, this.state.fired === null];
    if (isNew === asBefore || this.holds('amended-once-and-as-answered') ? isNew : asBefore) this.state.amended(terms);
  }

  /** Update handler. */
  async cancel(): Promise<MutationOutcome> {
    await condition(() => this.verdict !== null);
    if (this.ended !== null) return { verdict: 'nothingToDo', code: 'ORDER_CLOSED', message: `the order is ${this.ended}` };
    if (!this.state.cancelAsked) {
      await this.row.note({ kind: 'cancelRequested', key: 'cancelRequested', at: now() });
      this.state.cancelAsked = true;
      this.told += 1;
    }
    return { verdict: 'pending', code: null, message: null };
  }

  /** One step. */
  async once(): Promise<void> {
    await condition(() => this.amending === 0);
    for (const { triggerId } of this.crossings.splice(0)) {
      const doubts = this.doubtsOlderTerms();
      if (triggerId === this.state.triggerId) await this.judge(await acknowledgeTrigger({ triggerId }), doubts);
    }
    if (this.ended !== null) return;
    if (this.rowsChanged) await this.look();
    const step = this.state.next(Date.now(), this.market);
    this.market = null;
    await this.carryOut(step);
  }

  private async carryOut(step: Step): Promise<void> {
    const { state } = this;
    switch (step.kind) {
      case 'arm':
        return this.arm(step.version);
      case 'fire':
        return this.fire(step.fired);
      case 'readMarket': {
        const { accountId, venue, symbol } = this.input.intent;
        this.market = await readTradingState({ accountId, venue, symbol });
        return;
      }
      case 'place':
        return this.place(step);
      case 'cancelChild':
        await cancelChild({ ...this.input.intent, orderId: step.child.orderId });
        state.cancelSent(step.child, Date.now());
        return;
      case 'wait':
        // Armed, or on its way: whoever asked may be answered.
        this.verdict ??= 'accepted';
        return this.wait(step);
      case 'end':
        return this.end(step);
    }
  }

  /** The row may say that it fired meanwhile: by terms before an amendment, or while an earlier execution was lost. */
  private async arm(version: number): Promise<void> {
    const { intent } = this.input;
    const { state } = this;
    const parameters = triggerOf({ ...intent, condition: state.condition });
    if (parameters === null) throw new Error(`order ${intent.id} waits for no price`);
    const { userId, accountId, venue, symbol } = intent;
    const sinceMs = this.row.terms.armsSinceMs(state, version);
    // Without an amendment there are no terms older than these.
    const doubts = version > 0 && this.doubtsOlderTerms();
    const armed = await armTrigger({ revision: version + 1, trigger: { id: state.triggerId, userId, accountId, workflowId: workflowInfo().workflowId, venue, symbol, parameters }, ...(sinceMs === undefined ? {} : { sinceMs }) });
    const row = armed.status === 'ARMED' && version > 0 ? await amendTrigger({ triggerId: state.triggerId, revision: version + 1, parameters }) : armed;
    if (row?.status === 'ARMED') {
      this.row.terms.watched();
      state.armed(version);
    } else if (row?.status === 'FIRED') await this.judge(await acknowledgeTrigger({ triggerId: row.id }), doubts);
    else state.disproved();
  }

  /** What is stored of the firing, checked again. What does not hold fires nothing, and another trigger takes its place. */
  private async judge(trigger: Trigger | null, doubts: boolean): Promise<void> {
    const { state } = this;
    if (state.fired !== null || state.cancelAsked || trigger?.status !== 'FIRED' || trigger.evidence === null) return;
    const wrong = disproof(trigger, trigger.evidence) ?? (doubts ? this.row.terms.firedByOlder(state, trigger) : null);
    if (wrong === null) return this.fire({ by: 'trigger', level: trigger.evidence.level, atMs: trigger.evidence.atMs, evidence: { ...trigger.evidence } });
    await this.row.alert('crossingDisproved', wrong);
    state.disproved();
  }

  /**
   * The row has the last word: a task that Temporal lost may have ended the order there, and told its owner, before this run heard of the
   * price and of the cancel in another order. What has ended fires nothing.
   */
  private async fire(fired: Fired): Promise<void> {
    this.state.triggered(fired);
    const row = await this.row.note({ kind: 'triggered', key: 'triggered', trigger: { by: fired.by, level: fired.level, ...fired.evidence }, at: now() });
    if (isTerminal(row) && this.holds('what-has-ended-fires-nothing')) return this.over(row);
    if (fired.by !== 'trigger' && this.state.armedVersion !== null) await disarmTrigger({ triggerId: this.state.triggerId });
    this.row.show('TRIGGERED');
  }

  private async place({ n, step, version, terms }: Extract<Step, { kind: 'place' }>): Promise<void> {
    const { intent } = this.input;
    const { accountId, venue, symbol } = intent;
    const market = this.market ?? (await readTradingState({ accountId, venue, symbol }));
    const made = conditionalChild(intent, { n, step, terms }, workflowInfo().workflowId, market, Date.now());
    if (made.kind === 'belowMinimum') {
      await this.row.alert('belowMinimum', `${made.quantity} of ${symbol} is below what ${venue} takes`);
      if (step === 'native') this.state.nativeFailures = MAX_NATIVE_FAILURES;
      else await this.end({ kind: 'end', state: 'CANCELED', reasonCode: 'BELOW_MINIMUM', message: `what is left, ${made.quantity}, is below the venue's minimum` });
      return;
    }
    // The step is in the timeline before the child can be at the venue.
    await this.row.note({ kind: 'escalated', key: `child/${n}`, step, message: `${terms.type} ${made.intent.quantity}${made.intent.limitPrice === null ? '' : ` at ${made.intent.limitPrice}`} ${made.intent.timeInForce}`, at: now() });
    await placeChild(made.intent);
    const { termsVersion } = this.state;
    this.state.placed(n, step, made.intent.id, Date.now(), version === termsVersion || this.holds('native-stop-of-its-terms') ? version : termsVersion);
  }

  private async wait({ untilMs, looking }: Extract<Step, { kind: 'wait' }>): Promise<void> {
    const { told } = this;
    const lookMs = looking ? CHILD_LOOK_MS : this.state.live === null ? null : QUIET_LOOK_MS;
    const leftMs = untilMs === null ? null : untilMs - Date.now();
    // Past: a cancel whose outcome is awaited for long. No news of it comes the sooner for being asked for at once, again and again.
    const untilNextMs = leftMs === null || leftMs > 0 ? leftMs : this.holds('pending-cancels-are-awaited') ? CHILD_LOOK_MS : 0;
    const waitMs = lookMs === null ? untilNextMs : Math.min(lookMs, untilNextMs ?? lookMs);
    const isTold = (): boolean => this.told !== told || this.crossings.length > 0 || this.rowsChanged;
    const woken = waitMs === null ? await condition(isTold).then(() => true) : await condition(isTold, waitMs);
    if (!woken && lookMs !== null) this.rowsChanged = true;
  }

  private async look(): Promise<void> {
    this.rowsChanged = false;
    const { state } = this;
    if (state.children.length === 0) return;
    await this.seeChildren();
    this.foldEnded();
    const evidence = childrenEvidence(state, now());
    if (evidence !== null && evidence.key !== this.notedFill) {
      await this.row.note(evidence);
      this.notedFill = evidence.key;
    }
    if (!this.row.alerted && state.intent.reduceOnly && state.failures >= ALERT_AFTER_FAILURES) await this.row.alert('exitNotFilled', 'a triggered exit has not filled yet; it is tried again and again');
    if (!this.row.alerted && state.nativeFailures >= MAX_NATIVE_FAILURES) await this.row.alert('noNativeStop', 'the venue does not take the native stop; the durable one stands alone');
  }

  private async seeChildren(): Promise<void> {
    const { state } = this;
    const named = state.children.map(({ orderId }) => orderId);
    if (state.folded.count === 0) return (await readOrders({ orderIds: named })).forEach((view) => state.childSeen(view));
    const { orders, folded } = await readChildren({ parentOrderId: this.input.intent.id, named });
    state.foldedSeen(folded, orders);
  }

  private foldEnded(): void {
    if (this.holds('ended-orders-are-folded')) this.state.fold();
  }

  private async end({ state, reasonCode, message }: Extract<Step, { kind: 'end' }>): Promise<void> {
    await this.row.note({ kind: 'ended', key: 'ended', state, reasonCode, message, at: now() });
    if (this.state.fired === null && this.state.armedVersion !== null) await disarmTrigger({ triggerId: this.state.triggerId });
    this.over(state);
  }

  private over(state: OrderState): void {
    this.verdict ??= 'accepted';
    this.row.ended = state;
    this.row.show(state);
  }

  /** Executions from before rules were asked at the start ask for it before the row is asked. */
  private doubtsOlderTerms(): boolean {
    return this.holds('crossings-of-older-terms-fire-nothing');
  }
}

function now(): string {
  return new Date().toISOString();
}
