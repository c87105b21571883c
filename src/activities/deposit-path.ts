/** A deposit's dealings with the bridge and the source chain: quoting, taking the user's transaction, looking whether it is final. */
import type { Bridge } from '../domain/bridge';
import { faultOfOffer } from '../domain/bridge';
import type { Chain, ChainTransaction } from '../domain/chain';
import { isoTime, type Clock } from '../domain/clock';
import { decimal, decimalText } from '../domain/decimal';
import { isNative, UNSENT_DEPOSIT_STATES, type ApprovalRequest, type ChainToken, type Deposit, type DepositQuote, type DepositState, type DepositStep, type Hex } from '../domain/deposit';
import { faultOfSource, QUOTE_LIFE_MS } from '../domain/deposit-source';
import type { DepositDecision, DepositFact } from '../domain/deposit-state';
import { DomainError, type ErrorCode } from '../domain/errors';
import { approvalData } from './approval-data';

export interface DepositRows {
  begin(deposit: Deposit): Promise<Deposit>;
  byId(id: string): Promise<Deposit | null>;
  /** Whether the transaction is another deposit's. */
  isOfAnother(id: string, chainId: number, hash: Hex): Promise<boolean>;
  record(id: string, fact: DepositFact): Promise<Deposit>;
  decide(id: string, userId: string, decision: DepositDecision, note: string, actor: string): Promise<Deposit>;
  steps(id: string, userId: string): Promise<readonly DepositStep[] | null>;
}

export interface DepositPathPorts {
  readonly clock: Clock;
  readonly deposits: DepositRows;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly bridge: Bridge;
  /** Contracts that may be called and approved. */
  readonly allowed: ReadonlySet<Hex>;
  /** What a deposit must bring at least and may bring at most, in the token that is taken. */
  readonly minimum: string;
  readonly maximum: string;
}

/** What a caller's wish came to. `refused`: nothing was changed. */
export interface DepositAnswer {
  readonly state: DepositState;
  readonly refused: { readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> } | null;
}

export class DepositPath {
  constructor(private readonly ports: DepositPathPorts) {}

  /** Records the deposit and asks for its quote. The same deposit again changes nothing. */
  async begin(deposit: Deposit): Promise<DepositAnswer> {
    const { state } = await this.ports.deposits.begin(deposit);
    return state === 'CREATED' ? this.quote(deposit.id) : { state, refused: null };
  }

  /** Asks anew. One that was never quoted and cannot be is FAILED; a requote that fails leaves the old quote. */
  async quote(id: string): Promise<DepositAnswer> {
    const deposit = await this.must(id);
    if (!UNSENT_DEPOSIT_STATES.has(deposit.state)) return refused(deposit, new DomainError('CONFLICT', `a deposit in ${deposit.state} is not quoted anew`));
    try {
      const after = await this.ports.deposits.record(id, { kind: 'quoted', quote: await this.quoteOf(deposit) });
      return { state: after.state, refused: null };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const after = await this.ports.deposits.record(id, { kind: 'quoteRefused', reason: error.code === 'UNPROCESSABLE' ? 'NO_QUOTE' : 'BRIDGE_UNAVAILABLE' });
      return refused(after, error);
    }
  }

  /** The user's word that this is the transaction. What a node knows of it already must be what was asked for. */
  async take(id: string, hash: Hex): Promise<DepositAnswer> {
    const deposit = await this.must(id);
    const chain = this.chainOf(deposit);
    const known = await chain.transaction(hash);
    const fault = known === null ? null : faultOfSource(known, deposit, await this.quotesOf(deposit));
    if (fault !== null) return refused(deposit, new DomainError('UNPROCESSABLE', `the transaction is not the one that was asked for (${fault})`, { details: { field: 'hash', fault } }));
    if (deposit.source?.hash === hash || deposit.source?.earlierHashes.includes(hash)) return { state: deposit.state, refused: null };
    if (deposit.state !== 'AWAITING_SIGNATURE') return refused(deposit, new DomainError('CONFLICT', `a deposit in ${deposit.state} takes no transaction`, { details: { state: deposit.state } }));
    try {
      const after = await this.ports.deposits.record(id, { kind: 'sourceSent', hash, neededConfirmations: chain.confirmations });
      return { state: after.state, refused: null };
    } catch (error) {
      if (error instanceof DomainError && error.code === 'CONFLICT') return refused(deposit, error);
      throw error;
    }
  }

  async cancel(id: string): Promise<DepositAnswer> {
    const after = await this.ports.deposits.record(id, { kind: 'canceled' });
    return after.state === 'CANCELED' ? { state: after.state, refused: null } : refused(after, new DomainError('CONFLICT', `a deposit in ${after.state} cannot be called off`, { details: { state: after.state } }));
  }

  async decide(id: string, userId: string, decision: DepositDecision, note: string, actor: string): Promise<DepositAnswer> {
    try {
      return { state: (await this.ports.deposits.decide(id, userId, decision, note, actor)).state, refused: null };
    } catch (error) {
      if (error instanceof DomainError && (error.code === 'CONFLICT' || error.code === 'NOT_FOUND')) return refused(await this.must(id), error);
      throw error;
    }
  }

  /** Nobody signed it in its time, or it was under way for too long. */
  async note(id: string, fact: Extract<DepositFact, { kind: 'expired' | 'graceOver' }>): Promise<DepositState> {
    return (await this.ports.deposits.record(id, fact)).state;
  }

  /** How the source transaction stands. `unknownForMs`: how long it has been waited for. */
  async lookAtSource(id: string, unknownForMs: number, dropAfterMs: number): Promise<DepositState> {
    const deposit = await this.must(id);
    if (deposit.source === null) return deposit.state;
    const chain = this.chainOf(deposit);
    // The newest first; one that was replaced may still be the one that is mined.
    for (const hash of [deposit.source.hash, ...deposit.source.earlierHashes]) {
      const transaction = await chain.transaction(hash);
      if (transaction !== null && (hash === deposit.source.hash || transaction.blockNumber !== null)) return this.seen(deposit, chain, transaction);
    }
    return this.unseen(deposit, chain, unknownForMs >= dropAfterMs);
  }

  private async seen(deposit: Deposit, chain: Chain, transaction: ChainTransaction): Promise<DepositState> {
    const { hash, nonce } = transaction;
    const record = async (fact: DepositFact): Promise<DepositState> => (await this.ports.deposits.record(deposit.id, fact)).state;
    const fault = faultOfSource(transaction, deposit, await this.quotesOf(deposit));
    if (fault !== null) return record({ kind: 'sourceWrong', reason: fault });
    if (deposit.state === 'AWAITING_SIGNATURE') await record({ kind: 'sourceSent', hash, neededConfirmations: chain.confirmations });
    if (deposit.source?.hash !== hash) await record({ kind: 'sourceReplaced', hash, nonce });
    const receipt = await chain.receipt(hash);
    const head = await chain.head();
    const isThere = receipt !== null && (await chain.blockHash(receipt.blockNumber)) === receipt.blockHash;
    if (!isThere) return record({ kind: 'sourceSeen', source: { hash, nonce, blockNumber: null, blockHash: null, confirmations: 0, gasFee: null, l1Fee: null } });
    const { blockNumber, blockHash, gasFee, l1Fee, succeeded } = receipt;
    const source = { hash, nonce, blockNumber, blockHash, confirmations: Math.max(0, head.number - blockNumber + 1), gasFee, l1Fee };
    if (source.confirmations < chain.confirmations) return record({ kind: 'sourceSeen', source });
    return record(succeeded ? { kind: 'sourceConfirmed', source } : { kind: 'sourceReverted', source });
  }

  /** No node knows any of its hashes. Its nonce tells whether another took its place. */
  private async unseen(deposit: Deposit, chain: Chain, isOverdue: boolean): Promise<DepositState> {
    const nonce = deposit.source?.nonce ?? null;
    if (nonce !== null && (await chain.nonceOf(deposit.fromAddress)) > nonce) {
      const other = await chain.minedWithNonce(deposit.fromAddress, nonce);
      if (other === null) return deposit.state;
      const isOurs = faultOfSource(other, deposit, await this.quotesOf(deposit)) === null;
      if (isOurs && !(await this.ports.deposits.isOfAnother(deposit.id, deposit.from.chainId, other.hash))) return this.seen(deposit, chain, other);
      // An end, so the block must be final: the chain may still take the other transaction back, and mine this one.
      const { number } = await chain.head();
      if (other.blockNumber === null || number - other.blockNumber + 1 < chain.confirmations) return deposit.state;
      return (await this.ports.deposits.record(deposit.id, { kind: 'sourceAbandoned', hash: other.hash })).state;
    }
    return isOverdue ? (await this.ports.deposits.record(deposit.id, { kind: 'sourceDropped' })).state : deposit.state;
  }

  private async quoteOf(deposit: Deposit): Promise<DepositQuote> {
    const { from, to, amount, fromAddress, toAddress } = deposit;
    const asked = { from, to, units: unitsOf(amount, from), fromAddress, toAddress };
    const offer = await this.ports.bridge.offer(asked);
    const fault = faultOfOffer(offer, asked, this.ports.allowed);
    if (fault !== null) throw new DomainError('UNPROCESSABLE', `the bridge's offer is refused: ${fault}`, { details: { fault } });
    const receive = amountOf(offer.receiveUnits, to);
    if (decimal(receive).lessThan(decimal(this.ports.minimum)) || decimal(receive).greaterThan(decimal(this.ports.maximum))) {
      throw new DomainError('UNPROCESSABLE', `a deposit brings ${this.ports.minimum} to ${this.ports.maximum} ${to.symbol}, this one ${receive}`, { details: { field: 'amount', minimum: this.ports.minimum, maximum: this.ports.maximum, receive } });
    }
    const nowMs = this.ports.clock.nowMs();
    const { from: _sender, ...transaction } = offer.transaction;
    return { tool: offer.tool, receive, minimumReceived: amountOf(offer.minimumUnits, to), fees: offer.fees, durationSeconds: offer.durationSeconds, transaction, approval: await this.approvalOf(deposit, offer.spender), quotedAt: isoTime(nowMs), expiresAt: isoTime(nowMs + QUOTE_LIFE_MS) };
  }

  /** Of exactly what is deposited; null where enough is approved already. */
  private async approvalOf({ from, amount, fromAddress }: Deposit, spender: Hex | null): Promise<ApprovalRequest | null> {
    if (spender === null || isNative(from)) return null;
    const units = unitsOf(amount, from);
    const chain = this.ports.chains.get(from.chainId);
    if (chain !== undefined && decimal(await chain.allowance(from.address, fromAddress, spender)).greaterThanOrEqualTo(decimal(units))) return null;
    return { chainId: from.chainId, to: from.address, data: approvalData(spender, units), value: '0', token: from.address, spender, amount };
  }

  /** Every quote it ever had: whichever was signed is its own. */
  private async quotesOf(deposit: Deposit): Promise<readonly DepositQuote[]> {
    const steps = (await this.ports.deposits.steps(deposit.id, deposit.userId)) ?? [];
    return steps.flatMap((step) => (step.fact === 'quoted' ? [step.data['quote'] as DepositQuote] : []));
  }

  private async must(id: string): Promise<Deposit> {
    const deposit = await this.ports.deposits.byId(id);
    if (deposit === null) throw new DomainError('NOT_FOUND', 'no such deposit');
    return deposit;
  }

  private chainOf({ from }: Deposit): Chain {
    const chain = this.ports.chains.get(from.chainId);
    if (chain === undefined) throw new DomainError('SERVICE_UNAVAILABLE', `chain ${from.chainId} is not configured in this process`);
    return chain;
  }
}

function refused({ state }: Deposit, { code, message, details }: DomainError): DepositAnswer {
  return { state, refused: { code, message, details } };
}

/** Smallest units of an amount. Throws RangeError for a finer one than the token has. */
export function unitsOf(amount: string, { decimals }: Pick<ChainToken, 'decimals'>): string {
  const units = decimal(amount).times(decimal(`1${'0'.repeat(decimals)}`));
  if (!units.isInteger()) throw new RangeError(`${amount} is finer than ${decimals} decimals`);
  return decimalText(units);
}

export function amountOf(units: string, { decimals }: Pick<ChainToken, 'decimals'>): string {
  return decimalText(decimal(units).dividedBy(decimal(`1${'0'.repeat(decimals)}`)));
}
