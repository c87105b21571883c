/**
 * One step of a transaction of ours: give it a nonce, have it signed, keep the bytes, send them, look what became of them. Each step may be
 * the first after a crash anywhere in another, and may run beside one whose time-out has passed: the nonce, and the bytes that were
 * kept first, make all of them the same transaction.
 */
import type { Chain, ChainWriter } from '../domain/chain';
import { FILLER_PREFIX, fillerId, raisedFees, type ChainCall, type ChainFees, type ChainSend, type SignedVersion } from '../domain/chain-send';
import type { Clock } from '../domain/clock';
import { decimal, decimalText } from '../domain/decimal';
import type { Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';
import type { WalletSigner } from '../domain/wallet-signer';
import type { ChainSends, SendRequest } from '../store/deposits/chain-sends';

export interface ChainSenderPorts {
  readonly clock: Clock;
  readonly sends: Pick<ChainSends, 'byId' | 'allocate' | 'blockedBy' | 'fillersBelow' | 'keep' | 'bytesOf' | 'end'>;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly writers: ReadonlyMap<number, ChainWriter>;
  readonly signer: WalletSigner;
  /** A transaction whose fee the chain has outgrown waits so long before it is signed with a higher one. */
  readonly raiseFeeAfterMs: number;
}

export type SendStep =
  /** Nothing is signed, and it may yet be: no gas, no answer of the signer. */
  | { readonly kind: 'held'; readonly reason: string }
  /** Nothing is signed, and it would come to nothing. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** Its purpose was given up before anything was signed; of a filler: its gap was closed by another. */
  | { readonly kind: 'given up' }
  /** Its bytes are kept. `taken`: a node has them; `confirmations` 0: not in a block. */
  | { readonly kind: 'out'; readonly send: ChainSend; readonly hash: Hex; readonly taken: boolean; readonly confirmations: number }
  | { readonly kind: 'final'; readonly send: ChainSend; readonly confirmations: number };

/** An estimate is of this moment's state; what is not used is not paid. */
const GAS_MARGIN = '1.2';

export class ChainSender {
  constructor(private readonly ports: ChainSenderPorts) {}

  /** `request`: the same for the same id, for ever. Throws SERVICE_UNAVAILABLE where chain or database do not answer: ask again. */
  async step(request: SendRequest): Promise<SendStep> {
    const known = await this.ports.sends.byId(request.id);
    if (known !== null && (known.state === 'succeeded' || known.state === 'reverted' || known.state === 'displaced')) return { kind: 'final', send: known, confirmations: this.chainOf(request.call).confirmations };
    if (known?.state === 'signed') return this.look(known);
    return this.sign(request);
  }

  /** Signs for the first time. What would revert, or has no gas, takes no nonce. */
  private async sign(request: SendRequest): Promise<SendStep> {
    const { call, id } = request;
    const chain = this.chainOf(call);
    const writer = this.writerOf(call);
    const estimate = await writer.estimate(call);
    if (estimate.kind === 'reverts') return { kind: 'impossible', reason: `WOULD_REVERT: ${estimate.why}` };
    const fees = await writer.fees();
    const gas = decimalText(decimal(estimate.gas).times(decimal(GAS_MARGIN)).ceil());
    const needed = decimal(gas).times(decimal(fees.maxFeePerGas)).plus(decimal(call.value));
    if (decimal(await writer.coinOf(call.from)).lessThan(needed)) return { kind: 'held', reason: 'NO_GAS' };
    const send = await this.ports.sends.allocate(request, await chain.nonceOf(call.from));
    if (send === null) return { kind: 'given up' };
    if (send === 'restored') return { kind: 'held', reason: 'RESTORED' };
    if (send.state === 'signed') return this.look(send);
    try {
      const kept = await this.signVersion(send, 1, gas, fees);
      return kept === null ? { kind: 'given up' } : await this.look((await this.ports.sends.byId(id)) ?? send);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error.code === 'FORBIDDEN') return { kind: 'impossible', reason: `SIGNER_REFUSED: ${error.message}` };
      if (error.code === 'SERVICE_UNAVAILABLE' && error.details['signer'] === true) return { kind: 'held', reason: 'SIGNER_SILENT' };
      throw error;
    }
  }

  private async signVersion({ id, userId, call, nonce }: ChainSend, version: number, gas: string, fees: Pick<ChainFees, 'maxFeePerGas' | 'maxPriorityFeePerGas'>): Promise<SignedVersion | null> {
    const transaction = { ...call, nonce, gas, maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas };
    // The nonce is part of the name: a send that was released and given another is another transaction.
    const signed = await this.ports.signer.sign({ userId, transaction, idempotencyKey: `${id}/${nonce}/${version}` });
    return this.ports.sends.keep(id, version, transaction, signed);
  }

  /** The newest version first; an older one may still be the one that is mined. */
  private async look(send: ChainSend): Promise<SendStep> {
    const chain = this.chainOf(send.call);
    for (const { hash } of [...send.versions].reverse()) {
      const receipt = await chain.receipt(hash);
      if (receipt === null || (await chain.blockHash(receipt.blockNumber)) !== receipt.blockHash) continue;
      const confirmations = Math.max(0, (await chain.head()).number - receipt.blockNumber + 1);
      if (confirmations < chain.confirmations) return { kind: 'out', send, hash, taken: true, confirmations };
      const ended = await this.ports.sends.end(send.id, { state: receipt.succeeded ? 'succeeded' : 'reverted', minedHash: hash, blockNumber: receipt.blockNumber, gasFee: receipt.gasFee });
      return { kind: 'final', send: ended, confirmations };
    }
    const used = await chain.nonceOf(send.call.from);
    return used > send.nonce ? this.displaced(send, chain) : this.sendAgain(send, used);
  }

  /** Somebody used the nonce. The same call under another signature is this transaction; anything else took its place for ever. */
  private async displaced(send: ChainSend, chain: Chain): Promise<SendStep> {
    const newest = newestOf(send);
    const other = await chain.minedWithNonce(send.call.from, send.nonce);
    const waits: SendStep = { kind: 'out', send, hash: newest.hash, taken: true, confirmations: 0 };
    if (other === null || send.versions.some(({ hash }) => hash === other.hash)) return waits;
    const receipt = await chain.receipt(other.hash);
    if (receipt === null || (await chain.head()).number - receipt.blockNumber + 1 < chain.confirmations) return waits;
    const isSame = other.to === send.call.to && other.data === send.call.data && other.value === send.call.value;
    const state = !isSame ? 'displaced' : receipt.succeeded ? 'succeeded' : 'reverted';
    const ended = await this.ports.sends.end(send.id, { state, minedHash: other.hash, blockNumber: receipt.blockNumber, gasFee: isSame ? receipt.gasFee : null });
    return { kind: 'final', send: ended, confirmations: chain.confirmations };
  }

  /** The bytes that were kept, unchanged. Where the chain has outgrown their fee, a version with the same nonce and a higher one. */
  private async sendAgain(send: ChainSend, used: number): Promise<SendStep> {
    const writer = this.writerOf(send.call);
    const newest = newestOf(send);
    // A filler is seen to by what it stops, the lowest first: one that saw to others would be asked of each of them anew.
    if (!send.id.startsWith(FILLER_PREFIX)) await this.fillBelow(send, used);
    const bytes = await this.ports.sends.bytesOf(send.id, newest.version);
    if (bytes === null) return this.endedMeanwhile(send.id);
    const answer = await writer.broadcast(bytes);
    const waitedMs = this.ports.clock.nowMs() - Date.parse(newest.signedAt);
    if (waitedMs >= this.ports.raiseFeeAfterMs) await this.raiseFee(send, newest, writer);
    return { kind: 'out', send, hash: newest.hash, taken: answer.kind === 'taken', confirmations: 0 };
  }

  /** Bytes go when another process found the end. */
  private async endedMeanwhile(id: string): Promise<SendStep> {
    const now = await this.ports.sends.byId(id);
    if (now === null || now.state === 'signed') throw new Error(`the bytes of ${id} are gone, and it has not ended`);
    return { kind: 'final', send: now, confirmations: this.chainOf(now.call).confirmations };
  }

  private async raiseFee(send: ChainSend, newest: SignedVersion, writer: ChainWriter): Promise<void> {
    const raised = raisedFees(newest, await writer.fees());
    if (raised === null) return;
    const estimate = await writer.estimate(send.call);
    // What would revert now is left as it is: its first version decides.
    if (estimate.kind === 'gas') await this.signVersion(send, newest.version + 1, decimalText(decimal(estimate.gas).times(decimal(GAS_MARGIN)).ceil()), raised);
  }

  /**
   * A nonce below ours that nobody has: a transfer of nothing to the signer itself takes it. One that did not leave at its first try, or was
   * forgotten or outgrown since, holds its nonce and stops us all the same: it goes through the same steps as we do, each time that we look.
   */
  private async fillBelow(send: ChainSend, used: number): Promise<void> {
    for (const { id, userId, call } of await this.ports.sends.fillersBelow(send, used)) await this.step({ id, userId, call, purpose: null });
    const gap = await this.ports.sends.blockedBy(send, used);
    if (gap === null) return;
    const { chainId, from } = send.call;
    await this.step({ id: fillerId(send.call, gap), userId: send.userId, call: { chainId, from, to: from, data: '0x', value: '0' }, purpose: null, nonce: gap });
  }

  private chainOf({ chainId }: ChainCall): Chain {
    return must(this.ports.chains.get(chainId), chainId);
  }

  private writerOf({ chainId }: ChainCall): ChainWriter {
    return must(this.ports.writers.get(chainId), chainId);
  }
}

function newestOf({ id, versions }: ChainSend): SignedVersion {
  const newest = versions.at(-1);
  if (newest === undefined) throw new Error(`nothing of ${id} was signed`);
  return newest;
}

function must<T>(configured: T | undefined, chainId: number): T {
  if (configured === undefined) throw new DomainError('SERVICE_UNAVAILABLE', `chain ${chainId} is not configured in this process`);
  return configured;
}
