/** Looks, again and again, for orders that nobody owns and for watchers that are missing. One for the whole installation. */
import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { BackgroundActivities } from '../activities/background-activities';
import { SWEEPING_ACTIVITY } from '../temporal/activity-options';
import type { SweeperInput } from './messages';

const { sweepOrders } = proxyActivities<BackgroundActivities>({ ...SWEEPING_ACTIVITY, summary: 'look for orders that nobody owns' });

export async function sweeper(input: SweeperInput): Promise<void> {
  while (!workflowInfo().continueAsNewSuggested) {
    const { stuck, resolversStarted } = await sweepOrders();
    if (stuck > 0) setCurrentDetails(`${stuck} orders were open for long, ${resolversStarted} resolvers started`);
    await sleep(input.intervalMs, { summary: 'until the next sweep' });
  }
  await continueAsNew<typeof sweeper>(input);
}
