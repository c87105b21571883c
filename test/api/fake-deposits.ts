/** Deposits in memory: what routes ask for, without chains and workflows. */
import type { DepositsPort } from '../../src/api/deposit-port';
import type { Deposit } from '../../src/domain/deposit';
import { advance } from '../../src/domain/deposit-state';
import { DomainError } from '../../src/domain/errors';
import type { SuspenseEntry } from '../../src/domain/suspense';
import { fundedOrderSample } from '../unit/domain/funded-order-samples';
import { depositSample, TKN, USDC } from '../unit/domain/deposit-samples';

export class FakeDeposits implements DepositsPort {
  readonly rows = new Map<string, Deposit>();
  readonly held: SuspenseEntry[] = [];

  async begin(...[userId, request, , plan]: Parameters<DepositsPort['begin']>): Promise<Deposit> {
    if (request.chain !== 1 && request.chain !== 'ethereum') throw new DomainError('VALIDATION', `no chain ${request.chain}`, { details: { field: 'chain' } });
    const terms = await plan?.();
    const id = `00000000-0000-4000-8000-${String(this.rows.size + 1).padStart(12, '0')}`;
    const transaction = { chainId: 1, to: TKN.address, data: '0xab', value: '0' } as const;
    const quote = { tool: 'bridge', receive: '99', minimumReceived: '98', fees: [], durationSeconds: 30, transaction, approval: { ...transaction, token: TKN.address, spender: TKN.address, amount: request.amount }, quotedAt: '2026-01-31T12:00:00.000Z', expiresAt: '2026-01-31T12:01:00.000Z' };
    return this.keep(depositSample({ id, userId, amount: request.amount, fromAddress: request.fromAddress, quote, state: 'AWAITING_SIGNATURE', destination: request.destination === undefined ? null : { accountId: request.destination.accountId, fundingId: id, ...(terms == null ? {} : { order: fundedOrderSample({ asked: { ...request.destination.thenOrder }, onRefused: request.destination.thenOrder?.onRefused ?? 'keep', list: { ...terms, id, clientListId: `deposit-${id}`, ownerWorkflowId: `order-list/${id}` } }) }) } }));
  }

  async get(id: string, userId: string): Promise<Deposit | null> {
    const deposit = this.rows.get(id);
    return deposit?.userId === userId ? deposit : null;
  }

  async list({ userId, state }: Parameters<DepositsPort['list']>[0]) {
    return { deposits: [...this.rows.values()].filter((each) => each.userId === userId && (state === null || each.state === state)), nextCursor: null };
  }

  async steps(id: string, userId: string) {
    return (await this.get(id, userId)) === null ? null : [{ number: 1, at: '2026-01-31T12:00:00.000Z', fact: 'created', state: 'CREATED' as const, data: { amount: '100' } }];
  }

  async address() {
    return { address: USDC.address, token: USDC };
  }

  async suspense({ userId }: Parameters<DepositsPort['suspense']>[0]) {
    return { entries: this.held.filter((each) => each.userId === userId), nextCursor: null };
  }

  settleSuspense: DepositsPort['settleSuspense'] = async ({ id, userId }, depositId) => {
    const index = this.held.findIndex((each) => each.id === id && each.userId === userId);
    const [deposit, held] = [depositId === null ? null : await this.get(depositId, userId), this.held[index]];
    if (held === undefined || (depositId !== null && deposit === null)) throw new DomainError('NOT_FOUND', 'no such transfer is held in suspense');
    if (deposit !== null && deposit.sourceOutcome !== 'final') throw new DomainError('CONFLICT', `a deposit in ${deposit.state} takes no transfer`);
    this.held.splice(index, 1);
    return this.keep({ ...(deposit ?? depositSample({ id: '00000000-0000-4000-8000-0000000000ff', userId, kind: 'direct' })), state: 'CREDITED' });
  };

  submit = (deposit: Deposit, hash: `0x${string}`) => this.moved(deposit, { kind: 'sourceSent', hash, neededConfirmations: 3 });
  requote = async (deposit: Deposit) => deposit;
  cancel = (deposit: Deposit) => this.moved(deposit, { kind: 'canceled' });
  decide: DepositsPort['decide'] = (deposit, decision, note) => this.moved(deposit, { kind: 'decided', decision, note });

  private async moved(deposit: Deposit, fact: Parameters<typeof advance>[1]): Promise<Deposit> {
    const after = advance(deposit, fact);
    if (after === null) throw new DomainError('CONFLICT', `not in ${deposit.state}`);
    return this.keep(after);
  }

  private keep(deposit: Deposit): Deposit {
    this.rows.set(deposit.id, deposit);
    return deposit;
  }
}
