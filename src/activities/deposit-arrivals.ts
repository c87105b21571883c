/** What arrives: asked of the bridge where to look, read from the chain, counted when it is final and taken back when its block is gone. */
import type { Bridge } from '../domain/bridge';
import { ChainUnreadable, type Chain, type ChainBlock, type TransferLog } from '../domain/chain';
import { judgeTransfer, type TransferVerdict } from '../domain/chain-transfers';
import { isoTime, type Clock } from '../domain/clock';
import { assetOf, isNative, type BridgeReport, type ChainToken, type ChainTransfer, type Deposit, type DepositState, type Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';
import type { ChainCursor, CountingRules } from '../store/deposits/chain-transfers';
import type { SeenTransfer, StoredTransfer } from '../store/deposits/transfer-rows';
import { amountOf, unitsOf, type DepositRows } from './deposit-path';

export interface TransferRows {
  cursor(chainId: number): Promise<ChainCursor | null>;
  keep(chainId: number, seen: readonly SeenTransfer[], cursor: ChainCursor | null): Promise<void>;
  toJudge(chainId: number, sinceBlock: number): Promise<readonly StoredTransfer[]>;
  ofDeposit(depositId: string, userId: string): Promise<readonly StoredTransfer[]>;
  voidSeen(row: StoredTransfer): Promise<void>;
  count(row: StoredTransfer, rules: CountingRules): Promise<string>;
  reverse(row: StoredTransfer): Promise<void>;
}

export interface DepositArrivalsPorts {
  readonly clock: Clock;
  readonly deposits: DepositRows & { addresses(): Promise<readonly { readonly userId: string; readonly address: Hex }[]> };
  readonly transfers: TransferRows;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly bridge: Bridge;
  /** The token that deposits become. */
  readonly taken: ChainToken;
  readonly claimWithinMs: number;
  readonly onTrouble: (what: string, error: unknown) => void;
}

/** Blocks of one getLogs: public nodes refuse more. */
const MAX_RANGE = 1_000;
/** Of them, those that may have been read before: each read must come further. */
const MAX_OVERLAP = MAX_RANGE / 2;
/** Blocks read again after a reorganisation: deeper than any that the confirmations let pass. */
const ROLL_BACK_BLOCKS = 64;
/** Counted transfers of so many blocks are judged again: a deeper reorganisation has never been seen on the chains that are served. */
const WATCHED_BLOCKS = 256;

export class DepositArrivals {
  constructor(private readonly ports: DepositArrivalsPorts) {}

  /** One look for a deposit whose source is final. The bridge's silence holds nothing up: the chain is asked all the same. */
  async look(id: string): Promise<DepositState> {
    const deposit = await this.must(id);
    if (deposit.kind === 'bridge' && deposit.source !== null) {
      const report = await this.reportOf(deposit);
      if (report !== null) await this.follow(await this.ports.deposits.record(id, { kind: 'bridgeSaid', report }), report);
    }
    await this.judge(await this.ports.transfers.ofDeposit(id, deposit.userId));
    return (await this.must(id)).state;
  }

  /**
   * Reads the destination chain from where it was left, and judges what is not settled. What its endpoints kept from a conclusion, in words; null:
   * nothing. Throws ChainUnreadable where they kept it from being read at all.
   */
  async scan(chainId: number): Promise<string | null> {
    const chain = this.chainOf(chainId);
    const { transfers, deposits, taken } = this.ports;
    const head = await chain.head();
    const known = await transfers.cursor(chainId);
    // Until a block is final it is read again: a node that lags behind answers that there is nothing in it, and one on a fork shows another.
    const from = Math.max(0, (known === null ? head.number : await this.resumeAt(chain, known)) - Math.min(chain.confirmations, MAX_OVERLAP));
    const to = Math.min(head.number, from + MAX_RANGE - 1);
    if (to >= from) {
      const addresses = await deposits.addresses();
      const hash = await chain.blockHash(to);
      if (hash === null) return `no endpoint of ${chain.name} shows block ${to}`;
      const logs = addresses.length === 0 ? [] : await chain.transfersTo(addresses.map((each) => each.address), [taken.address], from, to);
      const userOf = new Map(addresses.map((each) => [each.address, each.userId]));
      const seen = logs.flatMap((log) => {
        const userId = userOf.get(log.to);
        return userId === undefined ? [] : [{ userId, depositId: null, transfer: transferOf(chainId, log, taken) }];
      });
      await transfers.keep(chainId, seen, { nextBlock: to + 1, blockHash: hash });
    }
    return this.judge(await transfers.toJudge(chainId, head.number - WATCHED_BLOCKS));
  }

  /** The block that is read next: earlier where the last block that was read is not in the chain any more. */
  private async resumeAt(chain: Chain, { nextBlock, blockHash }: ChainCursor): Promise<number> {
    if (nextBlock === 0 || (await chain.blockHash(nextBlock - 1)) === blockHash) return nextBlock;
    return Math.max(0, nextBlock - ROLL_BACK_BLOCKS);
  }

  private async reportOf(deposit: Deposit): Promise<BridgeReport | null> {
    const { source, from, to, quote } = deposit;
    if (source === null) return null;
    try {
      const said = await this.ports.bridge.status({ txHash: source.hash, fromChainId: from.chainId, toChainId: to.chainId, tool: quote?.tool ?? null });
      return { ...said, at: isoTime(this.ports.clock.nowMs()) };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.ports.onTrouble(`the bridge does not tell of deposit ${deposit.id}`, error);
      return null;
    }
  }

  /** Reads the transaction that the bridge named: what it brought is in its logs, and nowhere else. */
  private async follow(deposit: Deposit, { receivingHash, substatus }: BridgeReport): Promise<void> {
    if (receivingHash === null) return;
    const refunds = substatus === 'REFUNDED';
    const chainId = refunds ? deposit.from.chainId : deposit.to.chainId;
    const receiver = refunds ? deposit.fromAddress : deposit.toAddress;
    const chain = this.chainOf(chainId);
    const receipt = await chain.receipt(receivingHash);
    if (receipt === null || !receipt.succeeded) return;
    // What came back before it was sent is no refund of it, whatever the bridge says.
    if (refunds && receipt.blockNumber < (deposit.source?.blockNumber ?? 0)) return;
    const logs = receipt.transfers.filter((log) => log.to === receiver && (!refunds || (!isNative(deposit.from) && log.token === deposit.from.address)));
    const seen = await Promise.all(logs.map(async (log) => ({ userId: deposit.userId, depositId: deposit.id, transfer: transferOf(chainId, log, await chain.token(log.token)) })));
    if (seen.length > 0) await this.ports.transfers.keep(chainId, seen, null);
  }

  /** What is gone is taken back before anything is counted. What endpoints tell different things of holds up nothing but itself: the last of it in words, null: nothing. */
  private async judge(rows: readonly StoredTransfer[]): Promise<string | null> {
    const { transfers, deposits, taken, claimWithinMs } = this.ports;
    const disputes: string[] = [];
    // Asked once for all of them: every endpoint answers it. One that is older only counts later.
    const heads = new Map<number, Promise<ChainBlock>>();
    const headOf = (chain: Chain): Promise<ChainBlock> => {
      const head = heads.get(chain.id) ?? chain.head();
      heads.set(chain.id, head);
      return head;
    };
    const judged = await Promise.all(rows.map(async (row) => ({ row, verdict: await this.undisputed(row, disputes, () => this.verdictOf(row, headOf)) })));
    for (const { row, verdict } of judged) {
      if (verdict === 'void') await transfers.voidSeen(row);
      if (verdict === 'reverse') await transfers.reverse(row);
    }
    for (const { row, verdict } of judged) {
      if (verdict === 'count' && (await this.undisputed(row, disputes, () => this.isHeld(row))) === true) await transfers.count(row, { claimWithinMs, taken });
      if (verdict === 'wait' && row.depositId !== null && (await this.must(row.depositId)).toAddress === row.transfer.to) await deposits.record(row.depositId, { kind: 'destinationSeen', transfer: row.transfer });
    }
    return disputes.at(-1) ?? null;
  }

  /** null: the chain's endpoints do not answer, or not alike. */
  private async undisputed<T>({ transfer }: StoredTransfer, disputes: string[], ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ChainUnreadable)) throw error;
      disputes.push(error.message);
      this.ports.onTrouble(`transfer ${transfer.txHash}/${transfer.logIndex} on chain ${transfer.chainId} cannot be judged`, error);
      return null;
    }
  }

  private async verdictOf({ transfer, state }: StoredTransfer, headOf: (chain: Chain) => Promise<ChainBlock>): Promise<TransferVerdict> {
    const chain = this.chainOf(transfer.chainId);
    const [head, blockHashAtHeight] = [await headOf(chain), await chain.blockHash(transfer.blockNumber)];
    return judgeTransfer(transfer, state, { headNumber: head.number, blockHashAtHeight, neededConfirmations: chain.confirmations });
  }

  /** Its block is final; that the transfer is in it is asked of every endpoint, not only of the one that told of it. */
  private async isHeld({ transfer: { chainId, blockNumber: number, blockHash: hash, txHash, logIndex, token, from, to, amount } }: StoredTransfer): Promise<boolean> {
    const chain = this.chainOf(chainId);
    return chain.holds({ number, hash, txHash, logIndex, token, from, to, units: unitsOf(amount, await chain.token(token)) });
  }

  private async must(id: string): Promise<Deposit> {
    const deposit = await this.ports.deposits.byId(id);
    if (deposit === null) throw new DomainError('NOT_FOUND', 'no such deposit');
    return deposit;
  }

  private chainOf(chainId: number): Chain {
    const chain = this.ports.chains.get(chainId);
    if (chain === undefined) throw new DomainError('SERVICE_UNAVAILABLE', `chain ${chainId} is not configured in this process`);
    return chain;
  }
}

function transferOf(chainId: number, log: TransferLog, token: ChainToken): ChainTransfer {
  return { chainId, txHash: log.txHash, logIndex: log.logIndex, blockNumber: log.number, blockHash: log.hash, token: log.token, asset: assetOf(token), from: log.from, to: log.to, amount: amountOf(log.units, token) };
}
