/** Every signal, update and query, and the inputs of every workflow. Plain data: it ends up in Temporal's history. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CollateralMove, MoveReply } from '../domain/collateral-move';
import type { Deposit, DepositState, Hex } from '../domain/deposit';
import type { DepositDecision } from '../domain/deposit-state';
import type { FundedOrderState } from '../domain/funded-order';
import type { ErrorCode } from '../domain/errors';
import type { HeldTerms } from '../domain/evidence';
import type { SeenHeartbeat } from '../domain/heartbeat';
import type { NewKillSwitch } from '../domain/kill-switch';
import type { OrderIntent, OrderState } from '../domain/order';
import type { OrderListFacts } from '../domain/order-list';
import type { MutationIntent, RecordedItem } from '../domain/order-store';
import type { StandingOrder } from '../domain/remembered-orders';
import type { ResolutionMemory } from '../domain/resolution';
import type { Withdrawal, WithdrawalDecision, WithdrawalState } from '../domain/withdrawal';
import type { StoreMark } from '../domain/store-state';
import type { Strategy, StrategyChild } from '../domain/strategy';
import type { TriggerEvidence } from '../domain/trigger';
import type { ConditionalMemory } from './state/conditional-steps';
import type { StrategyMemory } from './state/strategy-run';

/** One order is a list of one. */
export interface OrderInput {
  readonly intents: readonly OrderIntent[];
}

export interface OrderOutcome {
  /** In the order of the intents. */
  readonly items: readonly RecordedItem[];
  /** Orders whose outcome at the venue was not settled by the first answer. */
  readonly openOrderIds: readonly string[];
}

export interface MutationInput {
  readonly intent: MutationIntent;
  /** Of one that was sent and whose outcome is open: what earlier executions knew; absent at the start. */
  readonly memory?: MutationMemory;
}

export interface MutationMemory {
  /** How often the venue was asked again. */
  readonly tries: number;
  /** When it is to be asked next, ms after the last answer. */
  readonly askAgainInMs: number;
}

export interface MutationOutcome {
  readonly verdict: 'applied' | 'refused' | 'nothingToDo' | 'denied' | 'pending';
  readonly code: string | null;
  readonly message: string | null;
}

export interface OrderResolutionInput {
  readonly orderId: string;
  /** For operators. */
  readonly why: string;
  /** What earlier executions found; absent at the start. */
  readonly memory?: ResolutionMemory;
}

export interface AccountInput {
  readonly accountId: string;
  readonly venue: string;
}

export interface MarketWatchInput {
  readonly venue: string;
}

export interface StoreGuardInput {
  /** ms between two beats. */
  readonly intervalMs: number;
  /** The last beat that was seen; null at the very start, and when Temporal has lost everything. */
  readonly mark: StoreMark | null;
}

export interface SweeperInput {
  /** ms between two sweeps. */
  readonly intervalMs: number;
}

/** Somebody met another PostgreSQL than the one that was compared last. */
export const storeDoubted = defineSignal<[{ readonly reason: string }]>('storeDoubted');

/** Answers once every order of the group has had its first answer, or none came in time. */
export const awaitOutcome = defineUpdate<OrderOutcome>('awaitOutcome');

/** Answers once the amend or cancel had its first answer. */
export const awaitMutation = defineUpdate<MutationOutcome>('awaitMutation');

export const orderProgress = defineQuery<OrderProgress>('orderProgress');

export interface OrderProgress {
  readonly phase: 'recording' | 'sending' | 'resolving' | 'done';
  readonly items: readonly RecordedItem[];
  readonly openOrderIds: readonly string[];
}

export interface ConditionalOrderInput {
  readonly intent: OrderIntent;
  /** What earlier executions knew; absent at the start. */
  readonly memory?: ConditionalMemory;
}

export interface ConditionalOutcome {
  readonly verdict: 'accepted' | 'denied' | 'duplicate';
  /** null: it was never armed. */
  readonly state: OrderState | null;
}

/** Answers once the order is armed, or refused. */
export const awaitArmed = defineUpdate<Pick<ConditionalOutcome, 'verdict'>>('awaitArmed');

/** New terms against the revision its caller saw. */
export const amendConditionalOrder = defineUpdate<MutationOutcome, [{ readonly expectedRevision: number; readonly terms: HeldTerms }]>('amendConditionalOrder');

/** Answers at once; the order ends when nothing of it is at the venue any more. */
export const cancelConditionalOrder = defineUpdate<MutationOutcome>('cancelConditionalOrder');

/** What its row has to say: asked for after the database was restored from a backup. null: it has ended, or was not accepted yet. */
export const standingOrder = defineQuery<StandingOrder | null>('standingOrder');

export const conditionalProgress = defineQuery<ConditionalMemory>('conditionalProgress');

/** To the workflow that supervises the order, after each committed change of it. A hint: the row tells what is so. */
export const orderChanged = defineSignal<[{ readonly orderId: string; readonly revision: number }]>('orderChanged');

/**
 * To the workflow that armed the trigger, after its firing was stored with this evidence; sent again until the workflow acknowledges it
 * (`acknowledgeTrigger`), so it may come more than once.
 */
export const triggerCrossed = defineSignal<[TriggerEvidence]>('triggerCrossed');

/** The account's status changed outside its workflow (operator, risk). */
export const accountStatusChanged = defineSignal<[{ readonly status: string; readonly reason: string | null }]>('accountStatusChanged');
/** Somebody noticed a difference: snapshot again now. */
export const reconcileRequested = defineSignal<[{ readonly reason: string }]>('reconcileRequested');

export interface WebhookDeliveryInput {
  readonly endpointId: string;
}

/** Something may wait for the endpoint: an event, a resend, its being enabled. A hint: what waits is in PostgreSQL. */
export const deliveriesWaiting = defineSignal('deliveriesWaiting');

export interface AlertWatchInput {
  readonly userId: string;
}

/** Something may concern a rule of the user: an event, a changed rule. A hint: what happened is in PostgreSQL. */
export const alertsConcerned = defineSignal('alertsConcerned');

export interface AlertDeliveryInput {
  readonly channelId: string;
}

/** Something may wait for the channel: an alert, a code, a test, its being enabled. A hint: what waits is in PostgreSQL. */
export const alertsWaiting = defineSignal('alertsWaiting');

export interface StrategyInput {
  readonly strategyId: string;
  /** What earlier executions found; absent at the start. */
  readonly memory?: StrategyMemory;
  /** As it was accepted, or as the execution before saw it last; absent in executions from before it was told. */
  readonly seen?: SeenStrategy;
}

export interface SeenStrategy {
  readonly strategy: Strategy;
  readonly children: readonly StrategyChild[];
}

/** As its workflow saw it last, or ended it: for a restored database. */
export const strategySeen = defineQuery<SeenStrategy | null>('strategySeen');

/** Somebody commanded the strategy. A hint: its row tells what is so. */
export const strategyChanged = defineSignal<[{ readonly revision: number }]>('strategyChanged');

export interface OrderListInput {
  readonly listId: string;
  /** As it was accepted, or as the execution before saw it last; absent in executions from before it was told. */
  readonly seen?: SeenOrderList;
}

export type SeenOrderList = Pick<OrderListFacts, 'list' | 'children'>;

/** As its workflow saw it last, or ended it: for a restored database. */
export const orderListSeen = defineQuery<SeenOrderList | null>('orderListSeen');

/** Somebody commanded the list. A hint: its row tells what is so. */
export const orderListChanged = defineSignal<[{ readonly revision: number }]>('orderListChanged');

/** Markdown: where each leg is. */
export const orderListProgress = defineQuery<string>('orderListProgress');

export interface KillSwitchInput {
  readonly killSwitchId: string;
  /** What a restored database may have lost, and this remembers; absent in workflows from before it did. */
  readonly latched?: NewKillSwitch;
}

/** It was latched more sharply, or released. A hint: its row tells what is so. */
export const killSwitchChanged = defineSignal('killSwitchChanged');

export interface DeadManInput {
  readonly accountId: string;
  /** Of a run that goes on: what its predecessor remembered. */
  readonly seen?: SeenHeartbeat | undefined;
}

/** The account's next deadline is earlier than the one that was told last. A hint: its row tells what is so. */
export const heartbeatChanged = defineSignal('heartbeatChanged');

export interface DepositInput {
  /** As it was asked for, or as its row has it where its workflow is started again. */
  readonly deposit: Deposit;
  readonly waits: DepositWaits;
  /** What an earlier execution of the chain knew; absent at the start. */
  readonly memory?: DepositMemory;
}

/** All in ms. */
export interface DepositWaits {
  /** Between the first looks; each wait is twice the one before, up to `maxPollMs`. */
  readonly pollMs: number;
  readonly maxPollMs: number;
  /** How long a quote waits to be signed. */
  readonly expireAfterMs: number;
  /** How long no node may know the transaction before it counts as dropped. */
  readonly dropAfterMs: number;
  /** How long the bridge may take before a person looks at it. */
  readonly graceMs: number;
  /** How long a credit is watched for a reorganisation. */
  readonly watchAfterMs: number;
}

export interface DepositMemory {
  readonly state: DepositState;
  readonly sinceMs: number;
  readonly wasSent: boolean;
}

/** `refused`: nothing was changed, and why. */
export interface DepositReply {
  readonly state: DepositState;
  readonly refused: { readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> } | null;
}

export interface ChainWatchInput {
  readonly chainId: number;
}

/** Answers once the deposit has its quote, or none can be had. */
export const awaitQuote = defineUpdate<DepositReply>('awaitQuote');
export const submitTransaction = defineUpdate<DepositReply, [{ readonly hash: Hex }]>('submitTransaction');
export const requoteDeposit = defineUpdate<DepositReply>('requoteDeposit');
export const cancelDeposit = defineUpdate<DepositReply>('cancelDeposit');
/** An operator's word on a deposit that waits for one; audited. */
export const decideDeposit = defineUpdate<DepositReply, [{ readonly decision: DepositDecision; readonly note: string; readonly actor: string }]>('decideDeposit');

export interface FundedOrderInput {
  readonly depositId: string;
  /** As the deposit's row has it, or as an earlier execution of the chain knew it. */
  readonly state: FundedOrderState;
  /** ms between the first looks at what has not moved; each wait is twice the one before, up to `maxPollMs`. */
  readonly waits: { readonly pollMs: number; readonly maxPollMs: number };
}

export interface CollateralMoveInput {
  /** As it was asked for, or as its row has it where its workflow is started again. */
  readonly move: CollateralMove;
  /** Our clock, ms: what could not be recorded by then never is. */
  readonly recordBeforeMs: number;
}

/** Answers once the venue said something of it, or it was refused before that. */
export const awaitMove = defineUpdate<MoveReply>('awaitMove');

export interface WithdrawalInput {
  /** As it was asked for, or as its row has it where its workflow is started again. */
  readonly withdrawal: Withdrawal;
  /** ms between the first looks at its transaction; each wait is twice the one before, up to `maxPollMs`. */
  readonly waits: { readonly pollMs: number; readonly maxPollMs: number };
  /** What an earlier execution of the chain knew; absent at the start. */
  readonly memory?: { readonly state: WithdrawalState };
}

/** `refused`: nothing was changed, and why. */
export interface WithdrawalReply {
  readonly state: WithdrawalState;
  readonly refused: { readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> } | null;
}

/** Answers once it is recorded and its amount is set aside, or it is refused. */
export const awaitRecorded = defineUpdate<WithdrawalReply>('awaitRecorded');
/** The word of a second person. Audited. */
export const decideWithdrawal = defineUpdate<WithdrawalReply, [{ readonly decision: WithdrawalDecision; readonly note: string; readonly actor: string }]>('decideWithdrawal');
export const cancelWithdrawal = defineUpdate<WithdrawalReply, [{ readonly actor: string }]>('cancelWithdrawal');
