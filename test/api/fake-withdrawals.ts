/** Withdrawals in memory: what routes ask for, without chains and workflows. */
import type { WithdrawalsPort } from '../../src/api/withdrawal-port';
import { DomainError } from '../../src/domain/errors';
import type { Withdrawal, WithdrawalAddress } from '../../src/domain/withdrawal';
import { advanceWithdrawal, type WithdrawalFact } from '../../src/domain/withdrawal-state';
import { DEPOSIT_ADDRESS, USDC } from '../unit/domain/deposit-samples';

const AT = '2026-01-31T12:00:00.000Z';

export class FakeWithdrawals implements WithdrawalsPort {
  readonly rows = new Map<string, Withdrawal>();
  private listed: WithdrawalAddress[] = [];
  private serial = 0;

  begin: WithdrawalsPort['begin'] = async (userId, { amount, toAddress }, _key, actor) => {
    if (!this.listed.some((each) => each.userId === userId && each.address === toAddress)) throw new DomainError('UNPROCESSABLE', 'withdrawals go to addresses of your list only', { details: { field: 'toAddress' } });
    return this.keep({ id: this.nextId(), userId, state: 'AWAITING_APPROVAL', reason: null, token: USDC, amount, fromAddress: DEPOSIT_ADDRESS, toAddress, requestedBy: actor, decidedBy: null, note: null, transaction: null, revision: 1, approveBefore: AT, createdAt: AT, updatedAt: AT });
  };

  async get(id: string, userId: string): Promise<Withdrawal | null> {
    const withdrawal = this.rows.get(id);
    return withdrawal?.userId === userId ? withdrawal : null;
  }

  async list({ userId, state }: Parameters<WithdrawalsPort['list']>[0]) {
    return { withdrawals: [...this.rows.values()].filter((each) => each.userId === userId && (state === null || each.state === state)), nextCursor: null };
  }

  async steps(id: string, userId: string) {
    return (await this.get(id, userId)) === null ? null : [{ number: 1, at: AT, fact: 'requested', state: 'AWAITING_APPROVAL' as const, data: {} }];
  }

  decide: WithdrawalsPort['decide'] = async (withdrawal, decision, note, actor) => {
    if (withdrawal.requestedBy === actor) throw new DomainError('FORBIDDEN', 'whoever asked for a withdrawal cannot approve it: use another admin key');
    return this.moved(withdrawal, { kind: decision === 'approve' ? 'approved' : 'refused', by: actor, note });
  };

  cancel: WithdrawalsPort['cancel'] = (withdrawal, actor) => this.moved(withdrawal, { kind: 'canceled', by: actor });

  addAddress: WithdrawalsPort['addAddress'] = async (userId, address, label) => {
    if (this.listed.some((each) => each.userId === userId && each.address === address)) throw new DomainError('CONFLICT', 'this address is on the list already', { details: { field: 'address' } });
    const added: WithdrawalAddress = { id: this.nextId(), userId, address, label, createdAt: AT, usableAt: AT, removedAt: null };
    this.listed.unshift(added);
    return added;
  };

  addresses: WithdrawalsPort['addresses'] = async (userId) => this.listed.filter((each) => each.userId === userId);

  removeAddress: WithdrawalsPort['removeAddress'] = async (id, userId) => {
    const removed = this.listed.find((each) => each.id === id && each.userId === userId);
    if (removed === undefined) throw new DomainError('NOT_FOUND', 'no such address on the list');
    this.listed = this.listed.filter((each) => each !== removed);
    return { ...removed, removedAt: AT };
  };

  private async moved(withdrawal: Withdrawal, fact: WithdrawalFact): Promise<Withdrawal> {
    const after = advanceWithdrawal(withdrawal, fact);
    if (after === null) throw new DomainError('CONFLICT', `not in ${withdrawal.state}`);
    return this.keep(after);
  }

  private keep(withdrawal: Withdrawal): Withdrawal {
    this.rows.set(withdrawal.id, withdrawal);
    return withdrawal;
  }

  private nextId(): string {
    this.serial += 1;
    return `00000000-0000-4000-9000-${String(this.serial).padStart(12, '0')}`;
  }
}
