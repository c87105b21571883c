/**
 * One step of what is done with a deposit's money at its venue: wait for the venue's credit, place the order list once, follow it, and bring the
 * money back where its order was refused and its user asked for that. Each step may be the first after a crash anywhere in another.
 */
import type { Chain } from '../domain/chain';
import type { Clock } from '../domain/clock';
import { decimal, ZERO } from '../domain/decimal';
import { broughtBy, type Deposit, type DepositDestination } from '../domain/deposit';
import { DomainError, type ErrorCode } from '../domain/errors';
import { ENDED_FUNDED_ORDER_STATES, type FundedOrder, type FundedOrderFact, type FundedOrderState, type PlannedOrderList } from '../domain/funded-order';
import type { OrderList } from '../domain/order-list';
import { ENDED_WITHDRAWAL_STATES, type Withdrawal } from '../domain/withdrawal';
import type { Deposits } from '../store/deposits/deposits';
import type { VenueExits as ExitRows } from '../store/deposits/venue-exits';
import type { VenueAccess, VenueExits } from './venue-exits';

export interface FundedOrderPorts {
  readonly clock: Clock;
  readonly deposits: Pick<Deposits, 'byId' | 'record'>;
  readonly fundingById: (id: string) => Promise<Withdrawal | null>;
  readonly chains: ReadonlyMap<number, Pick<Chain, 'minedAtMs'>>;
  readonly credits: Pick<ExitRows, 'claimCredit'>;
  readonly lists: {
    /** The list of that client id, made now or before. */
    create(list: PlannedOrderList): Promise<OrderList>;
    /** Its workflow runs. */
    started(list: OrderList): Promise<void>;
    byId(id: string): Promise<OrderList | null>;
  };
  /** null: the account is gone, or its venue is not configured. */
  readonly access: (accountId: string, userId: string) => Promise<VenueAccess | null>;
  readonly exits: Pick<VenueExits, 'step' | 'arrive'>;
  /** How long the venue's credit, or the transfer back, may take before a person is told. */
  readonly lateAfterMs: number;
}

interface Followed {
  readonly deposit: Deposit;
  readonly destination: DepositDestination;
  readonly order: FundedOrder;
}

/** One read of the venue. */
const READ_MS = 5_000;
/** What the venue credits was not on its way before: this much is left for clocks that are a little apart. */
const CLOCKS_APART_MS = 60_000;
/** Words that are answers: asking again brings the same. Everything else is asked again. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE', 'FORBIDDEN', 'RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_REDUCING']);

export class FundedOrderPath {
  constructor(private readonly ports: FundedOrderPorts) {}

  async look(depositId: string): Promise<FundedOrderState> {
    const deposit = await this.ports.deposits.byId(depositId);
    const destination = deposit?.destination ?? null;
    if (deposit === null || destination?.order === undefined) throw new DomainError('NOT_FOUND', `deposit ${depositId} has no order`);
    const at = { deposit, destination, order: destination.order };
    if (ENDED_FUNDED_ORDER_STATES.has(at.order.state)) return at.order.state;
    const fact = await this.factOf(at);
    return fact === null ? stateOf(await this.ports.deposits.byId(depositId), at.order) : stateOf(await this.ports.deposits.record(depositId, fact), at.order);
  }

  /** null: nothing new, or recorded with what proves it. */
  private async factOf(at: Followed): Promise<FundedOrderFact | null> {
    switch (at.order.state) {
      case 'WAITING':
        return this.credit(at);
      case 'FUNDED':
        return this.place(at);
      case 'PLACED':
        return this.follow(at.order.list);
      case 'RETURNING':
        return this.ports.exits.step(at.deposit, at.order, await this.accessOf(at));
      case 'LEFT':
        return (await this.ports.exits.arrive(at.deposit, at.order)) ? null : this.lateSince(at.deposit.updatedAt, 'ARRIVAL_LATE');
      default:
        return null;
    }
  }

  private async credit({ deposit, destination, order }: Followed): Promise<FundedOrderFact | null> {
    const funding = await this.ports.fundingById(destination.fundingId);
    // What was brought goes on once whoever counted it has begun that: until then nothing is known.
    if (funding === null) return broughtBy(deposit).length > 0 ? null : { kind: 'notFunded', reason: 'NOTHING_BROUGHT' };
    if (!ENDED_WITHDRAWAL_STATES.has(funding.state)) return null;
    if (funding.state !== 'COMPLETED') return { kind: 'notFunded', reason: funding.reason ?? funding.state };
    const access = await this.accessOf({ deposit, destination, order });
    const bridge = access?.session.bridge;
    if (access === null || bridge === undefined) return { kind: 'late', reason: 'NO_WAY_BACK' };
    const sentAtMs = await this.sentAtMs(funding, access);
    const credits = (await bridge.credits(sentAtMs - CLOCKS_APART_MS, reading())).filter(({ amount }) => decimal(amount).equals(decimal(funding.amount)));
    const counted = credits.length === 0 ? null : await this.ports.credits.claimCredit(deposit.id, deposit.userId, credits);
    return counted === null ? this.lateSince(funding.updatedAt, 'CREDIT_LATE') : null;
  }

  /** By the venue's clock: ours may be wrong by hours, or was when the transfer began. The chain's says when it was mined; the earlier of the two counts. */
  private async sentAtMs({ createdAt, token, transaction }: Withdrawal, { venue }: VenueAccess): Promise<number> {
    const aheadMs = (await venue.venueTimeMs(reading())) - this.ports.clock.nowMs();
    const begunAtMs = Date.parse(createdAt) + aheadMs;
    const minedAtMs = transaction === null ? null : ((await this.ports.chains.get(token.chainId)?.minedAtMs(transaction.hash)) ?? null);
    return minedAtMs === null ? begunAtMs : Math.min(begunAtMs, minedAtMs);
  }

  /** The list has the name that the deposit gave it: made by whoever comes first, and found by all others. */
  private async place({ deposit, order: { list } }: Followed): Promise<FundedOrderFact> {
    if (list.expireTime !== null && Date.parse(list.expireTime) <= this.ports.clock.nowMs() && (await this.ports.lists.byId(list.id)) === null) return { kind: 'orderRefused', reason: 'EXPIRED: its expireTime was over before the money was at the venue' };
    try {
      const made = await this.ports.lists.create(list);
      if (made.id !== list.id) return { kind: 'orderRefused', reason: `CONFLICT: clientListId ${list.clientListId} of the account belongs to another list` };
      if (made.endedAt === null) await this.ports.lists.started(made);
      return { kind: 'orderPlaced', orderListId: made.id };
    } catch (error) {
      if (!(error instanceof DomainError) || !REFUSALS.has(error.code)) {
        const late = this.lateSince(deposit.updatedAt, 'ORDER_LATE');
        if (late !== null) await this.ports.deposits.record(deposit.id, late);
        throw error;
      }
      return { kind: 'orderRefused', reason: `${error.code}: ${error.message}` };
    }
  }

  private async follow({ id }: PlannedOrderList): Promise<FundedOrderFact | null> {
    const list = await this.ports.lists.byId(id);
    const [entry] = list?.legs ?? [];
    if (list === null || entry === undefined) throw new Error(`order list ${id} is gone`);
    if (decimal(entry.filledQuantity).greaterThan(ZERO)) return { kind: 'orderFilled', filledQuantity: entry.filledQuantity, avgPrice: entry.avgPrice };
    if (list.endedAt === null) return null;
    const reason = list.reason ?? entry.reason ?? list.state;
    return list.state === 'REJECTED' ? { kind: 'orderRefused', reason } : { kind: 'orderUnfilled', reason };
  }

  private accessOf({ deposit, destination }: Followed): Promise<VenueAccess | null> {
    return this.ports.access(destination.accountId, deposit.userId);
  }

  private lateSince(since: string, reason: string): FundedOrderFact | null {
    return this.ports.clock.nowMs() - Date.parse(since) >= this.ports.lateAfterMs ? { kind: 'late', reason } : null;
  }
}

function stateOf(deposit: Deposit | null, before: FundedOrder): FundedOrderState {
  return deposit?.destination?.order?.state ?? before.state;
}

function reading(): { readonly signal: AbortSignal; readonly priority: 'read' } {
  return { signal: AbortSignal.timeout(READ_MS), priority: 'read' };
}
