/**
 * Carries a kill switch out for as long as it is latched: stops strategies, cancels orders, closes positions, and looks again, because
 * a fill may come late. A venue that is away or says 429 delays it and is named; it ends only when a person has released the switch.
 */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { KillSwitchActivities, KillSwitchStep } from '../activities/kill-switch-activities';
import { RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { cancelChild, placeChild } from './child-orders';
import { killSwitchChanged, orderChanged, type KillSwitchInput } from './messages';

const { stepKillSwitch } = proxyActivities<KillSwitchActivities>({ ...RESOLVING_ACTIVITY, summary: 'look at every account of the scope: what is open, held and not yet confirmed' });

/** Looks while something is open; what is awaited is the venue, and it is told by signals besides. */
const BUSY_LOOK_MS = 2_000;
/** A late fill is found so soon. */
const CONFIRMED_LOOK_MS = 15_000;

export async function killSwitch(input: KillSwitchInput): Promise<void> {
  let heard = false;
  setHandler(killSwitchChanged, () => void (heard = true));
  setHandler(orderChanged, () => void (heard = true));
  while (!workflowInfo().continueAsNewSuggested) {
    heard = false;
    const step = await stepKillSwitch(input);
    if (step.released) {
      setCurrentDetails('released');
      await condition(allHandlersFinished);
      return;
    }
    setCurrentDetails(detailsOf(step));
    for (const order of step.cancel) await cancelChild(order);
    for (const intent of step.exits) await placeChild(intent);
    await condition(() => heard, step.confirmed ? CONFIRMED_LOOK_MS : BUSY_LOOK_MS);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof killSwitch>(input);
}

/** More lines than this help nobody. */
const DETAIL_LINES = 20;

function detailsOf({ accounts }: KillSwitchStep): string {
  return accounts.slice(0, DETAIL_LINES).map(({ accountId, venue, state, reason }) => `- **${state}** account \`${accountId}\` on ${venue}${reason === null ? '' : `: ${reason}`}`).join('\n');
}
