/** Keeps one venue's public market data flowing: restarts what holds its socket. The data itself never comes here. */
import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { WatchingActivities } from '../activities/watching-activities';
import { WATCHING_ACTIVITY } from '../temporal/activity-options';
import type { MarketWatchInput } from './messages';

const { watchMarkets } = proxyActivities<WatchingActivities>({ ...WATCHING_ACTIVITY, summary: 'hold the venue\'s public stream' });

export async function marketWatch(input: MarketWatchInput): Promise<void> {
  setCurrentDetails(`market data of **${input.venue}**`);
  while (!workflowInfo().continueAsNewSuggested) await watchMarkets({ venue: input.venue });
  await continueAsNew<typeof marketWatch>(input);
}
