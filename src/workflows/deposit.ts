/** A deposit from its quote to its end: durable waits, looks at both chains and at the bridge, and what its user and operators wish. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { DepositActivities } from '../activities/deposit-activities';
import { LOOKING_ACTIVITY, RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { awaitQuote, cancelDeposit, decideDeposit, requoteDeposit, submitTransaction, type DepositInput, type DepositReply } from './messages';
import { DepositSupervision } from './state/deposit-supervision';

const { beginDeposit, quoteDeposit, takeTransaction, callOffDeposit, noteDecision, noteDepositFact } = proxyActivities<DepositActivities>({ ...RESOLVING_ACTIVITY, startToCloseTimeout: '20s', summary: 'record what was asked for; ask the bridge for a quote' });
const { lookAtSource } = proxyActivities<DepositActivities>({ ...LOOKING_ACTIVITY, summary: 'look at the source transaction' });
const { lookAtArrivals } = proxyActivities<DepositActivities>({ ...LOOKING_ACTIVITY, summary: 'ask the bridge, read the chain, count what is final' });

export async function deposit(input: DepositInput): Promise<void> {
  const depositId = input.deposit.id;
  const supervision = new DepositSupervision(input.waits, input.memory ?? { state: input.deposit.state, sinceMs: Date.now(), wasSent: input.deposit.source !== null });
  let begun: DepositReply | null = null;
  let wishes = 0;
  const acted = (reply: DepositReply): DepositReply => {
    supervision.take(reply.state, Date.now());
    wishes += 1;
    return reply;
  };
  const afterBegin = async (wish: () => Promise<DepositReply>): Promise<DepositReply> => {
    await condition(() => begun !== null);
    return acted(await wish());
  };
  setHandler(awaitQuote, () => afterBegin(async () => begun ?? { state: input.deposit.state, refused: null }));
  setHandler(submitTransaction, ({ hash }) => afterBegin(() => takeTransaction({ depositId, hash })));
  setHandler(requoteDeposit, () => afterBegin(() => quoteDeposit({ depositId })));
  setHandler(cancelDeposit, () => afterBegin(() => callOffDeposit({ depositId })));
  setHandler(decideDeposit, (decided) => afterBegin(() => noteDecision({ depositId, userId: input.deposit.userId, ...decided })));

  begun = acted(await beginDeposit({ deposit: input.deposit }));
  for (;;) {
    const move = supervision.next(Date.now());
    setCurrentDetails(`deposit of ${input.deposit.amount} ${input.deposit.from.symbol}: **${supervision.memory.state}**`);
    if (move.kind === 'end') break;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof deposit>({ ...input, memory: supervision.memory });
    }
    if (move.kind === 'note') {
      supervision.didNote();
      supervision.take(await noteDepositFact({ depositId, fact: move.fact }), Date.now());
      continue;
    }
    const before = wishes;
    if (await condition(() => wishes !== before, move.waitMs)) continue;
    if (move.kind === 'wait') continue;
    supervision.looked();
    const state = move.at === 'source' ? await lookAtSource({ depositId, unknownForMs: supervision.waitedMs(Date.now()), dropAfterMs: input.waits.dropAfterMs }) : await lookAtArrivals({ depositId });
    supervision.take(state, Date.now());
  }
  await condition(allHandlersFinished);
}
