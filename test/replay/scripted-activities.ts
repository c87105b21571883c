/** Activities that answer what an ending's script says, in turn; the last answer repeats. */
import type { AlertDeliveryActivities } from '../../src/activities/alert-deliverer';
import type { AlertJudgeActivities } from '../../src/activities/alert-judge';
import type { BackgroundActivities } from '../../src/activities/background-activities';
import type { CollateralMoveActivities } from '../../src/activities/collateral-move-activities';
import type { ConditionalActivities } from '../../src/activities/conditional-activities';
import type { ChainWatchActivities, DepositActivities } from '../../src/activities/deposit-activities';
import type { FundedOrderActivities } from '../../src/activities/funded-order-activities';
import type { OrderActivities } from '../../src/activities/order-activities';
import type { KillSwitchActivities } from '../../src/activities/kill-switch-activities';
import type { OrderListActivities } from '../../src/activities/order-list-activities';
import type { StrategyActivities } from '../../src/activities/strategy-activities';
import type { StoreRecoveryActivities } from '../../src/activities/store-recovery';
import type { SupervisionActivities } from '../../src/activities/supervision-activities';
import type { TriggerActivities } from '../../src/activities/trigger-activities';
import type { WatchingActivities } from '../../src/activities/watching-activities';
import type { WebhookActivities } from '../../src/activities/webhook-deliverer';
import type { WithdrawalActivities } from '../../src/activities/withdrawal-activities';
import { Context } from '@temporalio/activity';

export type AllActivities = OrderActivities & BackgroundActivities & WatchingActivities & StoreRecoveryActivities & WebhookActivities & AlertJudgeActivities & AlertDeliveryActivities & WithdrawalActivities & FundedOrderActivities & DepositActivities & ChainWatchActivities & StrategyActivities & OrderListActivities & KillSwitchActivities & ConditionalActivities & CollateralMoveActivities & SupervisionActivities & TriggerActivities;
type Answer<Name extends keyof AllActivities> = Awaited<ReturnType<AllActivities[Name]>>;

/** `'hang'`: the activity goes on until it is canceled. A function: it answers when it says, so that something may happen meanwhile. */
export type Script = { readonly [Name in keyof AllActivities]?: readonly (Answer<Name> | 'hang' | (() => Promise<Answer<Name>>))[] };

const NAMES: readonly (keyof AllActivities)[] = ['placeOrders', 'sendAttempt', 'requestMutation', 'sendMutation', 'settleMutation', 'sweepOrders', 'pruneOldRows', 'resolveOrder', 'resolveMutations', 'watchAccount', 'watchMarkets', 'compareWithPostgresql', 'readBackOrders', 'lookAtAccounts', 'awaitLooks', 'letEntriesPass', 'deliverWebhooks', 'judgeAlerts', 'deliverAlerts', 'beginDeposit', 'quoteDeposit', 'takeTransaction', 'callOffDeposit', 'noteDecision', 'noteDepositFact', 'lookAtSource', 'lookAtArrivals', 'watchChain', 'beginWithdrawal', 'noteWithdrawalDecision', 'callOffWithdrawal', 'expireWithdrawal', 'lookAtWithdrawal', 'lookAtFundedOrder', 'readBackStrategy', 'lookAtStrategy', 'advanceStrategy', 'readBackOrderList', 'lookAtOrderList', 'advanceOrderList', 'settleListTriggers', 'stepKillSwitch', 'checkHeartbeat', 'recordMove', 'pursueMove', 'recordConditional', 'noteConditional', 'amendConditional', 'raiseOrderAlert', 'readOrders', 'readChildren', 'readTradingState', 'armTrigger', 'amendTrigger', 'disarmTrigger', 'acknowledgeTrigger', 'readTriggers'];

/** What has no answer where the script says nothing: watchers go on, raised alerts tell nobody anything, and no database has lost what it is asked to take back. */
const SILENT: ReadonlySet<keyof AllActivities> = new Set(['watchMarkets', 'watchChain', 'readBackOrderList', 'readBackStrategy', 'raiseOrderAlert'] as const);

export function scriptedActivities(script: Script): Record<string, () => Promise<unknown>> {
  return Object.fromEntries(
    NAMES.map((name) => {
      const answers: unknown[] = [...(script[name] ?? [])];
      return [
        name,
        async () => {
          const answer = answers.length > 1 ? answers.shift() : answers[0];
          if (answer === undefined && !SILENT.has(name)) throw new Error(`the script of this ending says nothing of ${name}`);
          if (typeof answer === 'function') return (answer as () => Promise<unknown>)();
          return answer === 'hang' ? hang() : answer;
        },
      ];
    }),
  );
}

/** Heartbeats as watchers do, so that a cancellation reaches it. */
async function hang(): Promise<never> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 200);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(timer);
  }
}
