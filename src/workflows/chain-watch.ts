/** Keeps one chain read for what comes to deposit addresses: restarts what reads it. What it finds never comes here. */
import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ChainWatchActivities } from '../activities/deposit-activities';
import { WATCHING_ACTIVITY } from '../temporal/activity-options';
import type { ChainWatchInput } from './messages';

const { watchChain } = proxyActivities<ChainWatchActivities>({ ...WATCHING_ACTIVITY, summary: 'read the chain for transfers to deposit addresses' });

export async function chainWatch(input: ChainWatchInput): Promise<void> {
  setCurrentDetails(`transfers to deposit addresses on chain **${input.chainId}**`);
  while (!workflowInfo().continueAsNewSuggested) await watchChain({ chainId: input.chainId });
  await continueAsNew<typeof chainWatch>(input);
}
