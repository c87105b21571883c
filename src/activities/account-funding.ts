/**
 * What a deposit brought goes on to the account that its user named: by a transfer to the venue's own contract, which the user asked for
 * with the deposit. It is a withdrawal in all but its approval: reserved in the books, one nonce, its bytes kept before they leave.
 * Whatever fails before they leave, or on the chain, leaves the money where it is: in the wallet.
 */
import { isoTime, type Clock } from '../domain/clock';
import { decimalText, sum } from '../domain/decimal';
import { broughtBy, type Deposit } from '../domain/deposit';
import { faultOfWay, type DepositWay } from '../domain/deposit-way';
import { ENDED_FUNDED_ORDER_STATES } from '../domain/funded-order';
import { ENDED_WITHDRAWAL_STATES, type Withdrawal } from '../domain/withdrawal';
import type { Withdrawals } from '../store/deposits/withdrawals';

export interface AccountFundingPorts {
  readonly clock: Clock;
  readonly depositById: (id: string) => Promise<Deposit | null>;
  readonly withdrawals: Pick<Withdrawals, 'byId' | 'beginFunding'>;
  /** How the venue takes deposits for the account; null: not at all, or the account is gone. */
  readonly wayInto: (accountId: string, userId: string) => Promise<DepositWay | null>;
  /** Sees to it that a workflow is at what is done with it there. */
  readonly pursueOrder: (deposit: Deposit) => Promise<void>;
  /** Sees to it that a workflow is at it. */
  readonly pursue: (funding: Withdrawal) => Promise<void>;
}

/** Who asks for such a transfer, in the timeline and the audit log. */
const REQUESTED_BY = 'deposit';
/** Where nothing can be sent: the row says why, and the money stays. */
const NOWHERE = '0x0000000000000000000000000000000000000000';

export class AccountFunding {
  constructor(private readonly ports: AccountFundingPorts) {}

  /** Again and again, from whatever process: the transfer has the name that the deposit gave it, and begins once. */
  async forward(depositId: string): Promise<void> {
    const deposit = await this.ports.depositById(depositId);
    const destination = deposit?.destination ?? null;
    if (deposit === null || destination === null || deposit.state !== 'CREDITED') return;
    const funding = (await this.ports.withdrawals.byId(destination.fundingId)) ?? (await this.begin(deposit, destination));
    if (funding !== null && !ENDED_WITHDRAWAL_STATES.has(funding.state)) await this.ports.pursue(funding);
    if (destination.order !== undefined && !ENDED_FUNDED_ORDER_STATES.has(destination.order.state)) await this.ports.pursueOrder(deposit);
  }

  /** null: it brought nothing of the token, and a person has agreed. */
  private async begin(deposit: Deposit, { accountId, fundingId }: NonNullable<Deposit['destination']>): Promise<Withdrawal | null> {
    const { id: depositId, userId, to: token, toAddress: wallet } = deposit;
    const brought = broughtBy(deposit);
    if (brought.length === 0) return null;
    const amount = decimalText(sum(brought.map((each) => each.amount)));
    const way = await this.ports.wayInto(accountId, userId);
    const at = isoTime(this.ports.clock.nowMs());
    const funding: Withdrawal = {
      id: fundingId, userId, state: 'APPROVED', reason: null, token, amount, fromAddress: wallet, toAddress: way?.contract ?? NOWHERE, requestedBy: REQUESTED_BY, decidedBy: null, note: null, transaction: null,
      funding: { depositId, accountId }, revision: 1, approveBefore: at, createdAt: at, updatedAt: at,
    };
    return this.ports.withdrawals.beginFunding(funding, faultOfWay(way, { token, wallet, amount }));
  }
}
