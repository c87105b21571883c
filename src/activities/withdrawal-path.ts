/** What a withdrawal's workflow does: record it, note what people say of it, take one more step of its transaction. */
import { withdrawalSendId, type Withdrawal, type WithdrawalDecision, type WithdrawalState } from '../domain/withdrawal';
import type { WithdrawalFact } from '../domain/withdrawal-state';
import { DomainError, type ErrorCode } from '../domain/errors';
import type { ChainCall } from '../domain/chain-send';
import type { Chain } from '../domain/chain';
import type { WithdrawalLimits, Withdrawals } from '../store/deposits/withdrawals';
import type { ChainSender, SendStep } from './chain-sender';
import { unitsOf } from './deposit-path';
import { transferData } from './transfer-data';

export interface WithdrawalPathPorts {
  readonly withdrawals: Pick<Withdrawals, 'begin' | 'byId' | 'record' | 'decide' | 'cancel'>;
  readonly sender: Pick<ChainSender, 'step'>;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly limits: WithdrawalLimits;
  /** Why a transfer to a venue's account may not be signed any more; null: it may, or is none. */
  readonly faultOfFunding: (withdrawal: Withdrawal) => Promise<string | null>;
}

/** What a caller's wish came to. `refused`: nothing was changed. */
export interface WithdrawalAnswer {
  readonly state: WithdrawalState;
  readonly refused: { readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> } | null;
}

/** Errors that are answers: asking again brings the same. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set(['UNPROCESSABLE', 'INSUFFICIENT_BALANCE', 'CONFLICT', 'FORBIDDEN', 'NOT_FOUND']);

export class WithdrawalPath {
  constructor(private readonly ports: WithdrawalPathPorts) {}

  /** Records it and sets its amount aside. One that is refused has no row: FAILED is only the workflow's word for its end. */
  begin(withdrawal: Withdrawal): Promise<WithdrawalAnswer> {
    return answered('FAILED', () => this.ports.withdrawals.begin(withdrawal, this.ports.limits));
  }

  async decide(id: string, userId: string, decision: WithdrawalDecision, note: string, actor: string): Promise<WithdrawalAnswer> {
    return answered(await this.stateOf(id), () => this.ports.withdrawals.decide(id, userId, decision, note, actor));
  }

  async cancel(id: string, userId: string, actor: string): Promise<WithdrawalAnswer> {
    return answered(await this.stateOf(id), () => this.ports.withdrawals.cancel(id, userId, actor));
  }

  async expire(id: string): Promise<WithdrawalState> {
    return (await this.ports.withdrawals.record(id, { kind: 'expired' })).state;
  }

  /** One step towards its end. The same step again, or beside itself, comes to the same. */
  async look(id: string): Promise<WithdrawalState> {
    const withdrawal = await this.must(id);
    if (withdrawal.state !== 'APPROVED' && withdrawal.state !== 'SIGNED' && withdrawal.state !== 'SUBMITTED') return withdrawal.state;
    // Judged again as long as nothing is signed: the account, or its address at the venue, may be another by now.
    const fault = withdrawal.state === 'APPROVED' ? await this.ports.faultOfFunding(withdrawal) : null;
    if (fault !== null) {
      const { state } = await this.ports.withdrawals.record(id, { kind: 'impossible', reason: fault });
      // Where bytes are kept it goes on: they may have left.
      if (state !== 'APPROVED') return state;
    }
    const { userId, token } = withdrawal;
    const step = await this.ports.sender.step({ id: withdrawalSendId(id), userId, call: callOf(withdrawal), purpose: { table: 'withdrawals', id, state: 'APPROVED' } });
    let state: WithdrawalState = withdrawal.state;
    for (const fact of factsOf(step, this.neededConfirmations(token.chainId))) ({ state } = await this.ports.withdrawals.record(id, fact));
    return step.kind === 'given up' ? (await this.must(id)).state : state;
  }

  private neededConfirmations(chainId: number): number {
    return this.ports.chains.get(chainId)?.confirmations ?? 1;
  }

  private async stateOf(id: string): Promise<WithdrawalState> {
    return (await this.must(id)).state;
  }

  private async must(id: string): Promise<Withdrawal> {
    const withdrawal = await this.ports.withdrawals.byId(id);
    if (withdrawal === null) throw new DomainError('NOT_FOUND', 'no such withdrawal');
    return withdrawal;
  }
}

/** What a step says of the withdrawal, in order. Facts that are known already change nothing. */
function factsOf(step: SendStep, neededConfirmations: number): readonly WithdrawalFact[] {
  if (step.kind === 'given up') return [];
  if (step.kind === 'held' || step.kind === 'impossible') return [{ kind: step.kind, reason: step.reason }];
  const { send } = step;
  const signed = send.versions.map(({ hash }): WithdrawalFact => ({ kind: 'signed', nonce: send.nonce, hash, neededConfirmations }));
  if (step.kind === 'out') return [...signed, ...(step.taken ? [{ kind: 'sent' } as const] : []), ...(step.confirmations > 0 ? [{ kind: 'seen', hash: step.hash, confirmations: step.confirmations } as const] : [])];
  const hash = send.minedHash;
  if (hash === null) throw new Error(`${send.id} has ended, and nobody knows by which transaction`);
  if (send.state === 'displaced') return [...signed, { kind: 'displaced', hash }];
  return [...signed, { kind: send.state === 'succeeded' ? 'paid' : 'reverted', hash, gasFee: send.gasFee ?? '0', confirmations: step.confirmations }];
}

function callOf({ token, fromAddress, toAddress, amount }: Withdrawal): ChainCall {
  return { chainId: token.chainId, from: fromAddress, to: token.address, data: transferData(toAddress, unitsOf(amount, token)), value: '0' };
}

async function answered(stateWhereRefused: WithdrawalState, wish: () => Promise<Withdrawal>): Promise<WithdrawalAnswer> {
  try {
    return { state: (await wish()).state, refused: null };
  } catch (error) {
    if (!(error instanceof DomainError) || !ANSWERS.has(error.code)) throw error;
    return { state: stateWhereRefused, refused: { code: error.code, message: error.message, details: error.details } };
  }
}
