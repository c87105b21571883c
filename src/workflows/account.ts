/** Watches one account for as long as it exists: restarts its watcher, and rests while the venue refuses its key. */
import { allHandlersFinished, condition, continueAsNew, defineQuery, log, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { WatchingActivities } from '../activities/watching-activities';
import { WATCHING_ACTIVITY } from '../temporal/activity-options';
import { accountStatusChanged, type AccountInput } from './messages';

const { watchAccount } = proxyActivities<WatchingActivities>({ ...WATCHING_ACTIVITY, summary: 'hold the account\'s private stream' });

export const accountWatch = defineQuery<{ readonly phase: 'watching' | 'halted'; readonly since: string }>('accountWatch');

export async function account(input: AccountInput): Promise<void> {
  let phase: 'watching' | 'halted' = 'watching';
  let since = new Date().toISOString();
  let released = false;
  setHandler(accountWatch, () => ({ phase, since }));
  setHandler(accountStatusChanged, ({ status }) => {
    released = released || status !== 'HALTED';
  });
  const enter = (next: typeof phase, words: string): void => {
    phase = next;
    since = new Date().toISOString();
    setCurrentDetails(`**${next}** since ${since}: ${words}`);
  };

  while (!workflowInfo().continueAsNewSuggested) {
    enter('watching', `account \`${input.accountId}\` on ${input.venue}`);
    const { ended } = await watchAccount({ accountId: input.accountId });
    if (ended === 'noAccount') return;
    if (ended === 'keyRevoked') {
      enter('halted', 'the venue refuses its key; waits for accountStatusChanged');
      log.warn('account halted: the venue refuses its key', { accountId: input.accountId });
      released = false;
      await condition(() => released);
    }
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof account>(input);
}
