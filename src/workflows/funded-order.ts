/** What is done with a deposit's money at its venue: looks at the venue, the order list and the chain until it has come to an end. */
import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { FundedOrderActivities } from '../activities/funded-order-activities';
import { LOOKING_ACTIVITY } from '../temporal/activity-options';
import type { FundedOrderInput } from './messages';
import { FundedOrderSupervision } from './state/funded-order-supervision';

const { lookAtFundedOrder } = proxyActivities<FundedOrderActivities>({ ...LOOKING_ACTIVITY, summary: 'look at the venue\'s credit, the order list or the way back; take one step' });

export async function fundedOrder(input: FundedOrderInput): Promise<void> {
  const supervision = new FundedOrderSupervision(input.waits, input.state);
  for (;;) {
    const move = supervision.next();
    setCurrentDetails(`order of deposit ${input.depositId}: **${supervision.state}**`);
    if (move.kind === 'end') return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof fundedOrder>({ ...input, state: supervision.state });
    await sleep(move.waitMs, { summary: 'look again' });
    supervision.take(await lookAtFundedOrder({ depositId: input.depositId }));
  }
}
