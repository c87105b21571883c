/**
 * What is to be done at the venue with a deposit's money: an order with its stop, placed once the venue has credited it. Moved by facts of
 * the venue, the chain and the order list; where the order is refused the money stays there, or comes back as USDC, as its user asked.
 */
import type { Hex } from './deposit';
import type { OrderList } from './order-list';

/** keep: what the venue credited stays in the account; return: it comes back to the wallet, less the venue's fee. */
export const ON_REFUSED = ['keep', 'return'] as const;
export type OnRefused = (typeof ON_REFUSED)[number];

/**
 * - WAITING: the money is not at the venue yet; FUNDED: it is; PLACED: so is the order list, and nothing of its entry has filled;
 * - FILLED, UNFILLED (it was canceled, or its time was over), KEPT (refused, and the money stays), RETURNED, NOT_FUNDED: ends;
 * - RETURNING: the venue is asked to pay it out; LEFT: it did by its own ledger, and the chain has not shown it yet;
 * - HELD: it stays at the venue though it was to come back. A person has to act.
 */
export const FUNDED_ORDER_STATES = ['WAITING', 'FUNDED', 'PLACED', 'FILLED', 'UNFILLED', 'KEPT', 'RETURNING', 'LEFT', 'RETURNED', 'HELD', 'NOT_FUNDED'] as const;
export type FundedOrderState = (typeof FUNDED_ORDER_STATES)[number];

export const ENDED_FUNDED_ORDER_STATES: ReadonlySet<FundedOrderState> = new Set(['FILLED', 'UNFILLED', 'KEPT', 'RETURNED', 'HELD', 'NOT_FUNDED']);
/** The money is at the venue, or on its way back from there: whatever becomes of the deposit, this goes on. */
export const FUNDED_STATES_UNDER_WAY = ['FUNDED', 'PLACED', 'RETURNING', 'LEFT'] as const satisfies readonly FundedOrderState[];

/** The order list that is placed, as it was checked when the deposit was accepted. Its ids are functions of the deposit's. */
export type PlannedOrderList = Pick<OrderList, 'id' | 'clientListId' | 'userId' | 'accountId' | 'venue' | 'symbol' | 'type' | 'legs' | 'expireTime' | 'timeLimitMs' | 'breakEvenAfter' | 'ownerWorkflowId'>;

/** The way back, as far as it is known. Amounts in the token's unit. */
export interface FundedReturn {
  /** What the venue was asked to pay out; it keeps `fee` of it. */
  readonly amount: string;
  readonly fee: string;
  /** The transfer that brought it; null until one is final. */
  readonly txHash: Hex | null;
}

export interface FundedOrder {
  readonly state: FundedOrderState;
  /** Why it is where it is; null where nothing is unusual. */
  readonly reason: string | null;
  readonly onRefused: OnRefused;
  /** The request's own words, for whoever reads the deposit and for a repeat of it. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly list: PlannedOrderList;
  /** What the venue's ledger shows of the money, and the nonce under which it is asked back (absent: of before that was fixed by the credit). */
  readonly credited: { readonly amount: string; readonly at: string; readonly exitNonce?: string } | null;
  /** What had filled of the entry when the first fill was seen; its order list tells the rest. */
  readonly entry: { readonly filledQuantity: string; readonly avgPrice: string | null } | null;
  readonly back: FundedReturn | null;
}

export type FundedOrderFact =
  /** The money never went to the venue: it is in the wallet. */
  | { readonly kind: 'notFunded'; readonly reason: string }
  | { readonly kind: 'venueCredited'; readonly amount: string; readonly at: string; readonly exitNonce: string }
  | { readonly kind: 'orderPlaced'; readonly orderListId: string }
  /** By us before it was sent, by risk, or by the venue: nothing of it filled, nor will. */
  | { readonly kind: 'orderRefused'; readonly reason: string }
  | { readonly kind: 'orderFilled'; readonly filledQuantity: string; readonly avgPrice: string | null }
  | { readonly kind: 'orderUnfilled'; readonly reason: string }
  | { readonly kind: 'returnSigned'; readonly amount: string; readonly fee: string }
  /** The venue's ledger shows that it was paid out. */
  | { readonly kind: 'returnLeft' }
  /** A final transfer on the chain brought it. */
  | { readonly kind: 'returnArrived'; readonly txHash: Hex }
  | { readonly kind: 'held'; readonly reason: string }
  /** What should have come long ago has not. Told once; it is waited for all the same. */
  | { readonly kind: 'late'; readonly reason: string };

/** The next, or null where the fact changes nothing or comes too late. What the venue and the chain show counts whenever it is seen. */
export function advanceFundedOrder(order: FundedOrder, fact: FundedOrderFact): FundedOrder | null {
  const { state } = order;
  const to = (next: FundedOrderState, changes: Partial<FundedOrder> = {}): FundedOrder => ({ ...order, reason: null, ...changes, state: next });
  switch (fact.kind) {
    case 'notFunded':
      return state === 'WAITING' ? to('NOT_FUNDED', { reason: fact.reason }) : null;
    case 'venueCredited':
      return state === 'WAITING' ? to('FUNDED', { credited: { amount: fact.amount, at: fact.at, exitNonce: fact.exitNonce } }) : null;
    case 'orderPlaced':
      return state === 'FUNDED' ? to('PLACED') : null;
    case 'orderRefused':
      if (state !== 'FUNDED' && state !== 'PLACED') return null;
      return to(order.onRefused === 'return' ? 'RETURNING' : 'KEPT', { reason: fact.reason });
    case 'orderFilled':
      return state === 'PLACED' ? to('FILLED', { entry: { filledQuantity: fact.filledQuantity, avgPrice: fact.avgPrice } }) : null;
    case 'orderUnfilled':
      return state === 'PLACED' ? to('UNFILLED', { reason: fact.reason }) : null;
    case 'returnSigned':
      return state === 'RETURNING' && order.back === null ? to(state, { reason: order.reason, back: { amount: fact.amount, fee: fact.fee, txHash: null } }) : null;
    case 'returnLeft':
      return (state === 'RETURNING' || state === 'HELD') && order.back !== null ? to('LEFT') : null;
    case 'returnArrived':
      return state === 'LEFT' && order.back !== null ? to('RETURNED', { back: { ...order.back, txHash: fact.txHash } }) : null;
    case 'held':
      return state === 'RETURNING' ? to('HELD', { reason: fact.reason }) : null;
    case 'late':
      return (state === 'WAITING' || state === 'FUNDED' || state === 'LEFT' || state === 'RETURNING') && order.reason !== fact.reason ? to(state, { reason: fact.reason }) : null;
  }
}

/** A person has it asked anew: whoever refused may say something else by now. null: nothing is held. */
export function resumedOrder(order: FundedOrder): FundedOrder | null {
  return order.state === 'HELD' ? { ...order, state: 'RETURNING', reason: 'RESUMED' } : null;
}

const DEPOSIT_ENDED = 'DEPOSIT_';

/** Where its deposit ended otherwise than credited there is no money to wait for; where a chain took that end back, there may be again. */
export function orderOfDeposit(order: FundedOrder, deposit: { readonly state: string; readonly isEnded: boolean }): FundedOrder {
  const isOver = deposit.isEnded && deposit.state !== 'CREDITED';
  if (isOver && order.state === 'WAITING') return { ...order, state: 'NOT_FUNDED', reason: `${DEPOSIT_ENDED}${deposit.state}` };
  if (!isOver && order.state === 'NOT_FUNDED' && order.reason?.startsWith(DEPOSIT_ENDED) === true) return { ...order, state: 'WAITING', reason: null };
  return order;
}

/** What a person can do about money that is held, or late. */
export function adviceOf(reason: string): string {
  switch (reason.split(':')[0]) {
    case 'WALLET_NOT_OURS':
      return 'the account\'s address is not the wallet that signs here: withdraw at the venue with the wallet that it belongs to';
    case 'SIGNER_REFUSED':
      return 'the signer refuses the venue\'s withdrawal message: let its policy allow it and decide `resume`, or withdraw at the venue with the wallet\'s owner';
    case 'NO_WAY_BACK':
      return 'the account is gone or its venue pays out no withdrawals here: withdraw at the venue with the wallet that it belongs to';
    case 'BELOW_FEE':
      return 'it is not more than the venue\'s fee of a withdrawal: it stays in the account';
    case 'ORDER_LATE':
      return 'the venue has the money, and the order cannot be placed yet: it is tried again until its expireTime';
    case 'CREDIT_LATE':
      return 'the transfer to the venue is final, and its ledger does not show it: ask the venue, naming the transaction';
    case 'ARRIVAL_LATE':
      return 'the venue paid it out by its ledger, and the chain does not show it: ask the venue';
    default:
      return 'the money is in the account at the venue: trade with it, withdraw it there, or decide `resume` once what was refused can be done';
  }
}
