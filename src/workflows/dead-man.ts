/** Waits for an account's heartbeats by a durable timer, and cancels its open orders when none comes. Ends once it is disarmed or has fired. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { KillSwitchActivities } from '../activities/kill-switch-activities';
import { RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { cancelChild } from './child-orders';
import { heartbeatChanged, type DeadManInput } from './messages';

const { checkHeartbeat } = proxyActivities<KillSwitchActivities>({ ...RESOLVING_ACTIVITY, summary: 'has the account been heard of; if not, what is open' });

/** A deadline that PostgreSQL's host sees a little later than Temporal's is looked at again after this. */
const LEAST_WAIT_MS = 100;
/** Orders of an account that fell silent are looked for again, until none is left that is not being canceled. */
const AGAIN_MS = 2_000;

export async function deadMan(input: DeadManInput): Promise<void> {
  let heard = false;
  // What is left of a heartbeat that its database loses; an argument, so that it changes no run's commands.
  let { seen } = input;
  setHandler(heartbeatChanged, () => void (heard = true));
  while (!workflowInfo().continueAsNewSuggested) {
    heard = false;
    const { expiresAtMs, cancel, seen: now } = await checkHeartbeat({ accountId: input.accountId, seen });
    seen = now;
    if (cancel.length > 0) {
      setCurrentDetails(`**fired**: no heartbeat came; ${cancel.length} orders are canceled`);
      for (const order of cancel) await cancelChild(order);
      await condition(() => heard, AGAIN_MS);
      continue;
    }
    if (expiresAtMs === null) {
      await condition(allHandlersFinished);
      // A heartbeat that came while it ended arms it again.
      if (heard) continue;
      return;
    }
    setCurrentDetails(`cancels the open orders of account \`${input.accountId}\` unless it is heard of by ${new Date(expiresAtMs).toISOString()}`);
    await condition(() => heard, Math.max(expiresAtMs - Date.now(), LEAST_WAIT_MS));
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof deadMan>({ ...input, seen });
}
