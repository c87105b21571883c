/** The one function that moves a deposit: (deposit, fact) to the next deposit, forward only. Facts are what a chain, the bridge or a person said. */
import { advanceFundedOrder, orderOfDeposit, resumedOrder, type FundedOrder, type FundedOrderFact } from './funded-order';
import { assetOf, ENDED_DEPOSIT_STATES, UNSENT_DEPOSIT_STATES, type BridgeReport, type ChainTransfer, type Deposit, type DepositQuote, type DepositSource, type DepositState, type Hex } from './deposit';

export type DepositFact =
  | { readonly kind: 'quoted'; readonly quote: DepositQuote }
  | { readonly kind: 'quoteRefused'; readonly reason: string }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'expired' }
  /** Somebody says this is the transaction. Believed once the chain shows it. */
  | { readonly kind: 'sourceSent'; readonly hash: Hex; readonly neededConfirmations: number }
  | { readonly kind: 'sourceSeen'; readonly source: Omit<DepositSource, 'earlierHashes' | 'neededConfirmations'> }
  /** The nonce was used by another transaction that does the same. */
  | { readonly kind: 'sourceReplaced'; readonly hash: Hex; readonly nonce: number }
  /** The nonce was used by something else: this deposit can never be sent. */
  | { readonly kind: 'sourceAbandoned'; readonly hash: Hex }
  /** No node knows it any more, and its nonce is free. */
  | { readonly kind: 'sourceDropped' }
  /** The chain shows another transaction than the one that was asked for. */
  | { readonly kind: 'sourceWrong'; readonly reason: string }
  | { readonly kind: 'sourceReverted'; readonly source: Omit<DepositSource, 'earlierHashes' | 'neededConfirmations'> }
  | { readonly kind: 'sourceConfirmed'; readonly source: Omit<DepositSource, 'earlierHashes' | 'neededConfirmations'> }
  | { readonly kind: 'bridgeSaid'; readonly report: BridgeReport }
  | { readonly kind: 'destinationSeen'; readonly transfer: ChainTransfer }
  | { readonly kind: 'destinationVoided'; readonly transfer: ChainTransfer }
  | { readonly kind: 'destinationFinal'; readonly transfer: ChainTransfer }
  | { readonly kind: 'creditReversed'; readonly transfer: ChainTransfer }
  | { readonly kind: 'refundFinal'; readonly transfer: ChainTransfer }
  | { readonly kind: 'refundReversed'; readonly transfer: ChainTransfer }
  /** The bridge had its time: a person must look. */
  | { readonly kind: 'graceOver'; readonly reason: string }
  | { readonly kind: 'decided'; readonly decision: DepositDecision; readonly note: string }
  /** Of what is to be done with its money at the venue. */
  | FundedOrderFact;

/** accept: what arrived is all that will; writeOff: what is in transit is given up to suspense; resume: look again, also at what is held at a venue. */
export const DEPOSIT_DECISIONS = ['accept', 'writeOff', 'resume'] as const;
export type DepositDecision = (typeof DEPOSIT_DECISIONS)[number];

const SENT: ReadonlySet<DepositState> = new Set(['SOURCE_SUBMITTED']);
const LOOKING: ReadonlySet<DepositState> = new Set(['SOURCE_CONFIRMED', 'BRIDGING', 'REFUND_PENDING']);

/** The deposit after the fact; null where the fact changes nothing or comes too late. */
export function advance(deposit: Deposit, fact: DepositFact): Deposit | null {
  const after = moved(deposit, fact);
  return after === null ? null : (withOrder(after, (order) => orderOfDeposit(order, { state: after.state, isEnded: isEnded(after) })) ?? after);
}

function moved(deposit: Deposit, fact: DepositFact): Deposit | null {
  const { state } = deposit;
  const to = (next: DepositState, changes: Partial<Deposit> = {}): Deposit => ({ ...deposit, reason: null, ...changes, state: next });
  switch (fact.kind) {
    case 'quoted':
      return UNSENT_DEPOSIT_STATES.has(state) ? to('AWAITING_SIGNATURE', { quote: fact.quote }) : null;
    case 'quoteRefused':
      return state === 'CREATED' ? to('FAILED', { reason: fact.reason }) : null;
    case 'canceled':
      return UNSENT_DEPOSIT_STATES.has(state) && deposit.source === null ? to('CANCELED') : null;
    case 'expired':
      return UNSENT_DEPOSIT_STATES.has(state) ? to('EXPIRED', { reason: deposit.source === null ? null : 'SOURCE_DROPPED' }) : null;
    case 'sourceSent':
      if (state !== 'AWAITING_SIGNATURE') return null;
      return to('SOURCE_SUBMITTED', { source: { hash: fact.hash, earlierHashes: earlier(deposit, fact.hash), nonce: null, blockNumber: null, blockHash: null, confirmations: 0, neededConfirmations: fact.neededConfirmations, gasFee: null, l1Fee: null } });
    case 'sourceSeen':
      return SENT.has(state) && differs(deposit.source, fact.source) ? to(state, { source: seen(deposit, fact.source) }) : null;
    case 'sourceReplaced':
      if (!SENT.has(state) || deposit.source === null || deposit.source.hash === fact.hash) return null;
      return to(state, { reason: 'SOURCE_REPLACED', source: { ...deposit.source, hash: fact.hash, nonce: fact.nonce, earlierHashes: earlier(deposit, fact.hash), blockNumber: null, blockHash: null, confirmations: 0, gasFee: null, l1Fee: null } });
    case 'sourceAbandoned':
      return SENT.has(state) ? to('FAILED', { reason: 'SOURCE_ABANDONED' }) : null;
    case 'sourceDropped':
      return SENT.has(state) ? to('AWAITING_SIGNATURE', { reason: 'SOURCE_DROPPED' }) : null;
    case 'sourceWrong':
      return SENT.has(state) ? to('AWAITING_SIGNATURE', { reason: fact.reason, source: null }) : null;
    case 'sourceReverted':
      return SENT.has(state) ? to('FAILED', { reason: 'SOURCE_REVERTED', source: seen(deposit, fact.source), sourceOutcome: 'reverted' }) : null;
    case 'sourceConfirmed':
      return SENT.has(state) ? to('SOURCE_CONFIRMED', { source: seen(deposit, fact.source), sourceOutcome: 'final' }) : null;
    case 'bridgeSaid':
      return bridgeSaid(deposit, fact.report);
    case 'destinationSeen':
      return LOOKING.has(state) ? to('DEST_SEEN') : null;
    case 'destinationVoided':
      return state === 'DEST_SEEN' ? to('BRIDGING', { reason: 'DESTINATION_REORGANISED' }) : null;
    case 'destinationFinal':
      return arrived(deposit, fact.transfer);
    case 'creditReversed':
      return reversed(deposit, fact.transfer);
    case 'refundFinal':
      return refunded(deposit, fact.transfer);
    case 'refundReversed':
      return refundReversed(deposit, fact.transfer);
    case 'graceOver':
      return LOOKING.has(state) || SENT.has(state) || state === 'DEST_SEEN' ? to('MANUAL_REVIEW', { reason: fact.reason }) : null;
    case 'decided':
      return decided(deposit, fact.decision);
    default:
      return funded(deposit, fact);
  }
}

/** The deposit stays in the state it is in: its own money has arrived. */
function funded(deposit: Deposit, fact: FundedOrderFact): Deposit | null {
  return withOrder(deposit, (order) => advanceFundedOrder(order, fact));
}

/** null: it has no order, or the change leaves it as it is. */
function withOrder(deposit: Deposit, change: (order: FundedOrder) => FundedOrder | null): Deposit | null {
  const { destination } = deposit;
  const order = destination?.order === undefined ? null : change(destination.order);
  return destination == null || order === null ? null : { ...deposit, destination: { ...destination, order } };
}

/** What of the deposit's money the fact moves is in deposit-ledger.ts; both read the same deposit and fact. */
export function isEnded(deposit: Pick<Deposit, 'state'>): boolean {
  return ENDED_DEPOSIT_STATES.has(deposit.state);
}

/** The bridge may say what it likes: it moves the deposit between waiting states only. */
function bridgeSaid(deposit: Deposit, report: BridgeReport): Deposit | null {
  const known = deposit.bridge;
  const same = known !== null && known.status === report.status && known.substatus === report.substatus && known.receivingHash === report.receivingHash;
  if (same || !(LOOKING.has(deposit.state) || deposit.state === 'DEST_SEEN' || deposit.state === 'MANUAL_REVIEW')) return null;
  const refunds = report.substatus === 'REFUND_IN_PROGRESS' || report.substatus === 'REFUNDED';
  const next = LOOKING.has(deposit.state) ? (refunds ? 'REFUND_PENDING' : 'BRIDGING') : deposit.state;
  return { ...deposit, state: next, reason: next === deposit.state ? deposit.reason : null, bridge: report };
}

/**
 * Counted in whatever state it comes, once: what comes beside is not this deposit's (the books hold it in suspense). In the token that
 * was asked for it ends the deposit; in another a person confirms that this is all.
 */
function arrived(deposit: Deposit, transfer: ChainTransfer): Deposit | null {
  if (deposit.sourceOutcome !== 'final' || deposit.received.length > 0) return null;
  const changes = { ...deposit, received: [...deposit.received, { asset: transfer.asset, amount: transfer.amount, txHash: transfer.txHash }] };
  if (isEnded(deposit)) return { ...changes, reason: 'ARRIVED_AGAIN' };
  return transfer.asset === assetOf(deposit.to) ? { ...changes, state: 'CREDITED', reason: null } : { ...changes, state: 'PARTIAL_REVIEW', reason: 'OTHER_TOKEN' };
}

/** The chain took back what was final by our count: a person is told, and it may arrive again; what came unannounced would come as another. */
function reversed(deposit: Deposit, { txHash, asset, amount }: ChainTransfer): Deposit | null {
  const index = deposit.received.findIndex((each) => each.txHash === txHash && each.asset === asset && each.amount === amount);
  if (index < 0) return null;
  return { ...deposit, state: deposit.kind === 'direct' ? 'FAILED' : 'MANUAL_REVIEW', reason: 'CREDIT_REORGANISED', received: deposit.received.filter((_, at) => at !== index) };
}

function refunded(deposit: Deposit, { amount, txHash }: ChainTransfer): Deposit | null {
  if (deposit.sourceOutcome !== 'final') return null;
  const changes = { ...deposit, refunds: [...deposit.refunds, { amount, txHash }] };
  return isEnded(deposit) || deposit.received.length > 0 ? { ...changes, reason: 'REFUNDED_BESIDE' } : { ...changes, state: 'REFUNDED', reason: null };
}

function refundReversed(deposit: Deposit, { amount, txHash }: ChainTransfer): Deposit | null {
  const index = deposit.refunds.findIndex((each) => each.txHash === txHash && each.amount === amount);
  if (index < 0) return null;
  return { ...deposit, state: 'MANUAL_REVIEW', reason: 'REFUND_REORGANISED', refunds: deposit.refunds.filter((_, at) => at !== index) };
}

function decided(deposit: Deposit, decision: DepositDecision): Deposit | null {
  const { state } = deposit;
  // Its deposit stays what it is: what is asked anew is the way back from the venue.
  const resumed = decision === 'resume' ? withOrder(deposit, resumedOrder) : null;
  if (resumed !== null) return resumed;
  if (decision === 'accept') return state === 'PARTIAL_REVIEW' || (state === 'MANUAL_REVIEW' && deposit.received.length > 0) ? { ...deposit, state: 'CREDITED', reason: 'ACCEPTED' } : null;
  if (state !== 'MANUAL_REVIEW') return null;
  if (decision === 'writeOff') return { ...deposit, state: 'FAILED', reason: 'WRITTEN_OFF', writtenOff: true };
  return { ...deposit, state: deposit.sourceOutcome === null ? 'SOURCE_SUBMITTED' : 'BRIDGING', reason: 'RESUMED' };
}

function earlier({ source }: Deposit, hash: Hex): readonly Hex[] {
  return source === null ? [] : [...new Set([...source.earlierHashes, source.hash])].filter((each) => each !== hash);
}

function seen(deposit: Deposit, now: Omit<DepositSource, 'earlierHashes' | 'neededConfirmations'>): DepositSource {
  const neededConfirmations = deposit.source?.neededConfirmations ?? 1;
  return { ...now, confirmations: Math.min(now.confirmations, neededConfirmations), earlierHashes: earlier(deposit, now.hash), neededConfirmations };
}

/** Confirmations only up to what is needed: a look that saw nothing new is no step of the timeline. */
function differs(known: DepositSource | null, now: Omit<DepositSource, 'earlierHashes' | 'neededConfirmations'>): boolean {
  if (known === null) return false;
  return known.hash !== now.hash || known.blockHash !== now.blockHash || known.nonce !== now.nonce || known.confirmations !== Math.min(now.confirmations, known.neededConfirmations);
}
