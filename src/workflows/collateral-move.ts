/** Moves collateral within an account: records it, sends its bytes, and asks the venue and sends the same bytes again until its outcome is evidence. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { CollateralMoveActivities } from '../activities/collateral-move-activities';
import { ENDED_MOVE_STATES, type MoveReply } from '../domain/collateral-move';
import { RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { awaitMove, type CollateralMoveInput } from './messages';

const { recordMove } = proxyActivities<CollateralMoveActivities>({ ...RESOLVING_ACTIVITY, summary: 'read what stands at the venue, record the move with its signed bytes' });
const { pursueMove } = proxyActivities<CollateralMoveActivities>({ ...RESOLVING_ACTIVITY, summary: 'ask the venue, send the same bytes where that is needed' });

/** The first question comes soon, because most losses are of one answer. */
const FIRST_DELAY_MS = 100;
/** A venue that is down for long is asked this often. */
const LONGEST_DELAY_MS = 15_000;

const UNTOLD: MoveReply = { state: 'UNKNOWN', refused: null };

export async function collateralMove(input: CollateralMoveInput): Promise<void> {
  let told: MoveReply | null = null;
  setHandler(awaitMove, async () => {
    await condition(() => told !== null);
    return told ?? UNTOLD;
  });
  const recorded = await recordMove(input);
  if (recorded.refused !== null) {
    told = recorded;
    await condition(allHandlersFinished);
    return;
  }
  let { state } = recorded;
  for (let tries = 0; !ENDED_MOVE_STATES.has(state); tries += 1) {
    if (tries > 0) {
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), LONGEST_DELAY_MS);
      setCurrentDetails(`**${state}**; the venue is asked again in ${delayMs} ms`);
      await sleep(delayMs, { summary: 'ask the venue again' });
      if (workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof collateralMove>(input);
      }
    }
    state = await pursueMove({ moveId: input.move.id });
    // The waiting caller is told after the first answer: what is still open then is told as that.
    told = { state, refused: null };
  }
  told = { state, refused: null };
  setCurrentDetails(`**${state}**`);
  await condition(allHandlersFinished);
}
