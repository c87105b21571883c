/** The activities of withdrawals: what they do is in withdrawal-path.ts and chain-sender.ts. */
import type { Withdrawal, WithdrawalDecision, WithdrawalState } from '../domain/withdrawal';
import { beating } from './beating';
import type { WithdrawalAnswer, WithdrawalPath } from './withdrawal-path';

export interface WithdrawalActivities {
  beginWithdrawal(input: { readonly withdrawal: Withdrawal }): Promise<WithdrawalAnswer>;
  noteWithdrawalDecision(input: { readonly withdrawalId: string; readonly userId: string; readonly decision: WithdrawalDecision; readonly note: string; readonly actor: string }): Promise<WithdrawalAnswer>;
  callOffWithdrawal(input: { readonly withdrawalId: string; readonly userId: string; readonly actor: string }): Promise<WithdrawalAnswer>;
  expireWithdrawal(input: { readonly withdrawalId: string }): Promise<WithdrawalState>;
  lookAtWithdrawal(input: { readonly withdrawalId: string }): Promise<WithdrawalState>;
}

export function createWithdrawalActivities(path: WithdrawalPath): WithdrawalActivities {
  return {
    beginWithdrawal: ({ withdrawal }) => path.begin(withdrawal),
    noteWithdrawalDecision: ({ withdrawalId, userId, decision, note, actor }) => path.decide(withdrawalId, userId, decision, note, actor),
    callOffWithdrawal: ({ withdrawalId, userId, actor }) => path.cancel(withdrawalId, userId, actor),
    expireWithdrawal: ({ withdrawalId }) => path.expire(withdrawalId),
    lookAtWithdrawal: ({ withdrawalId }) => beating(() => path.look(withdrawalId)),
  };
}
