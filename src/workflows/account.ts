/**
 * Watches one account for as long as it exists: starts its watcher again whenever it ends, and rests while the venue refuses
 * its key. What the stream says goes to PostgreSQL and never through here.
 */
import { allHandlersFinished, CancellationScope, condition, continueAsNew, defineQuery, isCancellation, log, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { WatchAccountResult, WatchingActivities } from '../activities/watching-activities';
import { WATCHING_ACTIVITY } from '../temporal/activity-options';
import { accountStatusChanged, reconcileRequested, type AccountInput } from './messages';
import { AccountWatchState, type AccountWatchStatus } from './state/account-watch';

const { watchAccount } = proxyActivities<WatchingActivities>({ ...WATCHING_ACTIVITY, summary: 'hold the account\'s private stream' });

export const accountWatch = defineQuery<AccountWatchStatus>('accountWatch');

/** A release whose signal was lost is found after this: the watcher then reads the account's status itself. */
const HALTED_LOOK = '5 minutes';

export async function account(input: AccountInput): Promise<void> {
  const state = new AccountWatchState(input, now());
  let watching: CancellationScope | null = null;
  setHandler(accountWatch, () => state.status());
  setHandler(accountStatusChanged, ({ status }) => state.statusChanged(status));
  setHandler(reconcileRequested, ({ reason }) => {
    state.reconcileAsked(reason);
    watching?.cancel(); // its successor begins with a look at everything
  });

  while (!workflowInfo().continueAsNewSuggested) {
    state.watching(now());
    setCurrentDetails(state.details());
    watching = new CancellationScope({ cancellable: true });
    const ended = await endOf(watching, input);
    watching = null;
    if (ended === 'noAccount') return;
    if (ended === 'keyRevoked') {
      state.halted(now());
      setCurrentDetails(state.details());
      log.warn('account halted: the venue refuses its key', { accountId: input.accountId });
      await condition(() => state.mayGoOn, HALTED_LOOK);
    }
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof account>(input);
}

/** How the watcher ended; 'asked' when it was ended by us, to begin anew. The workflow's own cancellation passes through. */
async function endOf(scope: CancellationScope, input: AccountInput): Promise<WatchAccountResult['ended'] | 'asked'> {
  try {
    const { ended } = await scope.run(() => watchAccount({ accountId: input.accountId }));
    return ended;
  } catch (error) {
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) return 'asked';
    throw error;
  }
}

function now(): string {
  return new Date().toISOString();
}
