/** A withdrawal from its request to its end: a second person's word, one transaction, and looks at the chain until it is final. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { WithdrawalActivities } from '../activities/withdrawal-activities';
import { LOOKING_ACTIVITY, RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { awaitRecorded, cancelWithdrawal, decideWithdrawal, type WithdrawalInput, type WithdrawalReply } from './messages';
import { WithdrawalSupervision } from './state/withdrawal-supervision';

const { beginWithdrawal, noteWithdrawalDecision, callOffWithdrawal, expireWithdrawal } = proxyActivities<WithdrawalActivities>({ ...RESOLVING_ACTIVITY, summary: 'record what people said of the withdrawal' });
const { lookAtWithdrawal } = proxyActivities<WithdrawalActivities>({ ...LOOKING_ACTIVITY, summary: 'sign, send or look at its transaction' });

export async function withdrawal(input: WithdrawalInput): Promise<void> {
  const { id: withdrawalId, userId, amount, token, approveBefore } = input.withdrawal;
  const supervision = new WithdrawalSupervision(input.waits, Date.parse(approveBefore), input.memory?.state ?? input.withdrawal.state);
  let begun: WithdrawalReply | null = null;
  let wishes = 0;
  const acted = (reply: WithdrawalReply): WithdrawalReply => {
    supervision.take(reply.state);
    wishes += 1;
    return reply;
  };
  const afterBegin = async (wish: () => Promise<WithdrawalReply>): Promise<WithdrawalReply> => {
    await condition(() => begun !== null);
    // Nobody's word changes one that was never recorded.
    return begun?.refused != null ? begun : acted(await wish());
  };
  setHandler(awaitRecorded, () => afterBegin(async () => begun ?? { state: supervision.state, refused: null }));
  setHandler(decideWithdrawal, (decided) => afterBegin(() => noteWithdrawalDecision({ withdrawalId, userId, ...decided })));
  setHandler(cancelWithdrawal, ({ actor }) => afterBegin(() => callOffWithdrawal({ withdrawalId, userId, actor })));

  begun = acted(await beginWithdrawal({ withdrawal: input.withdrawal }));
  for (;;) {
    const move = supervision.next(Date.now());
    setCurrentDetails(`withdrawal of ${amount} ${token.symbol}: **${supervision.state}**`);
    if (move.kind === 'end') break;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof withdrawal>({ ...input, memory: { state: supervision.state } });
    }
    if (move.kind === 'expire') {
      supervision.didExpire();
      supervision.take(await expireWithdrawal({ withdrawalId }));
      continue;
    }
    const before = wishes;
    if ((await condition(() => wishes !== before, move.waitMs)) || move.kind === 'wait') continue;
    supervision.looked();
    supervision.take(await lookAtWithdrawal({ withdrawalId }));
  }
  await condition(allHandlersFinished);
}
