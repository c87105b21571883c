/**
 * Judges one user's alert rules for as long as there are any. Rules, events and what is waited for are rows in PostgreSQL: here is only when
 * to look at them next, durably. The triggers of prices name this workflow.
 */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AlertJudgeActivities } from '../activities/alert-judge';
import { JUDGING_ACTIVITY } from '../temporal/activity-options';
import { alertsConcerned, triggerCrossed, type AlertWatchInput } from './messages';
import { JudgingRounds } from './state/alert-rounds';

const { judgeAlerts } = proxyActivities<AlertJudgeActivities>({ ...JUDGING_ACTIVITY, summary: 'judge what happened by the user\'s rules' });

export async function alertWatch(input: AlertWatchInput): Promise<void> {
  const rounds = new JudgingRounds();
  setHandler(alertsConcerned, () => rounds.hint());
  setHandler(triggerCrossed, ({ triggerId }) => rounds.crossed(triggerId));

  while (!workflowInfo().continueAsNewSuggested) {
    rounds.end(await judgeAlerts({ userId: input.userId, fired: rounds.begin() }));
    setCurrentDetails(rounds.details());
    if (rounds.isOver) return;
    if (rounds.waitMs > 0) await condition(() => rounds.isHinted, rounds.waitMs);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof alertWatch>(input);
}
