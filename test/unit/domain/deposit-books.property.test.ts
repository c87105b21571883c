/** Random faults of bridges and chains against the rules of money: what is credited is what final transfers brought, and every unit is somewhere. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attribute, COUNTED_TRANSFER_STATES, judgeTransfer, type TransferState } from '../../../src/domain/chain-transfers';
import { decimal, decimalText, sum } from '../../../src/domain/decimal';
import { assetOf, type ChainTransfer, type Deposit } from '../../../src/domain/deposit';
import { advance, type DepositFact } from '../../../src/domain/deposit-state';
import { isBalanced } from '../../../src/domain/ledger';
import { standingOf, unannounced, unannouncedReversed, walletFactOf, type WalletFact } from '../../../src/domain/wallet-ledger';
import { depositSample, hash, minedSource, OTHER, TKN, transferSample, USDC, USER_WALLET } from './deposit-samples';

const RUNS = 1_500;
const CONFIRMATIONS = 3;

interface Bugs {
  readonly creditsTheQuote?: boolean;
  readonly countsAgainInAnotherBlock?: boolean;
  readonly forgetsReversals?: boolean;
  readonly keepsTransitOnRefund?: boolean;
  readonly paysTwice?: boolean;
  readonly believesNodesThatLag?: boolean;
}

interface Row {
  readonly transfer: ChainTransfer;
  state: TransferState;
  depositId: string | null;
  reversals: number;
}

/** What the store does, in memory: the same pure functions in the same order. */
class Books {
  deposit: Deposit = depositSample();
  readonly rows: Row[] = [];
  readonly facts = new Set<string>();
  readonly sums = new Map<string, string>();
  private block = 100;
  private serial = 0;
  /** What the chain holds now. */
  chain: ChainTransfer[] = [];

  constructor(private readonly bugs: Bugs) {
    for (const fact of [{ kind: 'quoted', quote: null as never }, { kind: 'sourceSent', hash: hash('a1'), neededConfirmations: 3 }, { kind: 'sourceConfirmed', source: minedSource() }] as DepositFact[]) this.apply(fact);
  }

  /** `logs`: of one transaction, as a bridge makes them that pays twice. */
  mint(what: 'asked' | 'other' | 'refund', amount: string, logs: number): void {
    this.serial += 1;
    this.block += 1;
    const token = what === 'asked' ? USDC : what === 'other' ? OTHER : TKN;
    const back = what === 'refund' ? { to: USER_WALLET, chainId: TKN.chainId } : {};
    for (let logIndex = 0; logIndex < logs; logIndex += 1) this.chain.push(transferSample({ logIndex, txHash: hash(`f${this.serial}`), token: token.address, asset: assetOf(token), amount, blockNumber: this.block, blockHash: hash(`c${this.block}`), ...back }));
  }

  /** The newest blocks go away; some of what they held comes back in other blocks. */
  reorganise(depth: number, comesBack: boolean): void {
    const gone = this.chain.filter((each) => each.blockNumber > this.block - depth);
    this.chain = this.chain.filter((each) => !gone.includes(each));
    this.serial += 1;
    if (comesBack) for (const each of gone) this.chain.push({ ...each, blockHash: hash(`d${this.serial}${each.blockNumber}`) });
  }

  mine(blocks: number): void {
    this.block += blocks;
  }

  /** What a look at the chains does: keep what is new, judge everything. `claims`: the bridge has told the transaction; `countsFirst`: another process counts before this one reverses; `lag`: the blocks that the node has not got yet. */
  look(claims: boolean, countsFirst = false, lag = 0): void {
    const nodeHead = this.block - lag;
    for (const transfer of this.chain.filter((each) => each.blockNumber <= nodeHead)) {
      const known = this.rows.find((row) => keyOf(row.transfer) === keyOf(transfer) && row.transfer.blockHash === transfer.blockHash);
      const claimed = claims || transfer.asset !== assetOf(USDC);
      if (known === undefined) this.rows.push({ transfer, state: 'seen', depositId: claimed ? this.deposit.id : null, reversals: 0 });
      else if (known.state === 'voided' || known.state === 'reversed') known.state = 'seen';
    }
    const judged = this.rows.map((row) => ({ row, verdict: judgeTransfer(row.transfer, row.state, { headNumber: this.block, blockHashAtHeight: this.hashAt(row.transfer, nodeHead), neededConfirmations: CONFIRMATIONS }) }));
    for (const { row } of judged.filter((each) => each.verdict === 'void')) row.state = 'voided';
    const count = (): void => judged.filter((each) => each.verdict === 'count').forEach(({ row }) => {
      this.count(row);
      const counted = this.rows.filter((each) => keyOf(each.transfer) === keyOf(row.transfer) && COUNTED_TRANSFER_STATES.has(each.state));
      must(counted.length <= 1, `${keyOf(row.transfer)} is counted in ${counted.length} blocks at once`);
    });
    if (countsFirst) count();
    for (const { row } of judged.filter((each) => each.verdict === 'reverse' && each.row.state !== 'voided')) this.reverse(row);
    if (!countsFirst) count();
    for (const row of this.rows) must(!this.chain.includes(row.transfer) || (row.state !== 'voided' && row.state !== 'reversed'), `${keyOf(row.transfer)} is ${row.state}, and it is in the chain`);
  }

  apply(fact: DepositFact, reversals = 0): boolean {
    const after = advance(this.bugs.paysTwice === true && fact.kind === 'destinationFinal' ? { ...this.deposit, received: [] } : this.deposit, fact);
    if (after === null) return false;
    const booked = walletFactOf(this.deposit, after, fact, reversals);
    if (booked !== null) this.post(this.bugs.keepsTransitOnRefund === true && booked.kind === 'refund' ? { ...booked, postings: booked.postings.filter(({ book }) => book !== 'inTransit') } : booked);
    this.deposit = { ...after, revision: this.deposit.revision + 1 };
    return true;
  }

  private count(row: Row): void {
    const before = this.rows.find((each) => keyOf(each.transfer) === keyOf(row.transfer) && COUNTED_TRANSFER_STATES.has(each.state));
    if (before !== undefined && this.bugs.countsAgainInAnotherBlock !== true) {
      [row.state, row.depositId, before.state] = [before.state, before.depositId, 'voided'];
      return;
    }
    const beside = this.rows.filter((each) => each !== row && each.transfer.txHash === row.transfer.txHash && each.transfer.blockHash === row.transfer.blockHash && each.transfer.to === row.transfer.to && each.state !== 'voided' && each.state !== 'reversed').map((each) => each.transfer);
    const claimedBy = row.depositId === null ? null : this.bugs.paysTwice === true ? { ...this.deposit, received: [] } : this.deposit;
    const whose = attribute(row.transfer, { claimedBy, beside: this.bugs.paysTwice === true ? [] : beside, open: [], paidBefore: this.deposit.received.length > 0 ? { depositId: this.deposit.id } : null, isFromVenue: false, waitedMs: 0, claimWithinMs: 1, taken: USDC.address });
    const reversals = this.reversalsOf(row) + (before === undefined ? 0 : 100);
    const transfer = this.bugs.creditsTheQuote === true ? { ...row.transfer, amount: '100' } : row.transfer;
    if (whose.kind === 'wait') return;
    if (whose.kind === 'deposit' && this.apply({ kind: transfer.to === USER_WALLET ? 'refundFinal' : 'destinationFinal', transfer }, reversals)) {
      row.state = 'deposit';
      return;
    }
    const kind = whose.kind === 'direct' ? 'direct' : 'unclaimed';
    this.post(unannounced(transfer, kind, reversals));
    row.state = kind;
  }

  private reverse(row: Row): void {
    const reversals = this.reversalsOf(row);
    if (this.bugs.forgetsReversals !== true) {
      if (row.state === 'deposit') this.apply({ kind: row.transfer.to === USER_WALLET ? 'refundReversed' : 'creditReversed', transfer: row.transfer }, reversals);
      else this.post(unannouncedReversed(row.transfer, row.state === 'direct' ? 'direct' : 'unclaimed', reversals));
    }
    [row.state, row.reversals] = ['reversed', reversals + 1];
  }

  private post(fact: WalletFact): void {
    must(!this.facts.has(fact.fact), `${fact.fact} is booked twice`);
    this.facts.add(fact.fact);
    must(isBalanced(fact.postings), `${fact.fact} does not balance`);
    for (const { book, asset, amount } of fact.postings) this.sums.set(`${book} ${asset}`, decimalText(decimal(this.sums.get(`${book} ${asset}`) ?? '0').plus(decimal(amount))));
  }

  private reversalsOf(row: Row): number {
    return Math.max(...this.rows.filter((each) => keyOf(each.transfer) === keyOf(row.transfer)).map((each) => each.reversals));
  }

  private hashAt(transfer: ChainTransfer, nodeHead: number): ChainTransfer['blockHash'] | null {
    if (transfer.blockNumber > nodeHead) return this.bugs.believesNodesThatLag === true ? ANOTHER_BLOCK : null;
    return this.chain.find((each) => keyOf(each) === keyOf(transfer))?.blockHash ?? ANOTHER_BLOCK;
  }

  sumOf(book: string, asset: string): string {
    return this.sums.get(`${book} ${asset}`) ?? '0';
  }
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Of what took the place of a block that is gone. */
const ANOTHER_BLOCK = hash('e0');

const keyOf = ({ chainId, txHash, logIndex }: ChainTransfer): string => `${chainId}/${txHash}/${logIndex}`;

const amountOf = fc.integer({ min: 1, max: 200_000_000 }).map((units) => decimalText(decimal(String(units)).dividedBy(decimal('1000000'))));
const report = fc.record({
  status: fc.constantFrom('NOT_FOUND', 'INVALID', 'PENDING', 'DONE', 'FAILED'),
  substatus: fc.constantFrom(null, 'COMPLETED', 'PARTIAL', 'REFUNDED', 'REFUND_IN_PROGRESS', 'UNKNOWN_ERROR'),
  message: fc.constant(null),
  receivingHash: fc.constantFrom(null, hash('f1')),
  at: fc.constant('2026-01-01T00:00:00.000Z'),
});
const event = fc.oneof(
  fc.record({ act: fc.constant('mint' as const), what: fc.constantFrom('asked' as const, 'asked' as const, 'other' as const, 'refund' as const), amount: amountOf, logs: fc.constantFrom(1, 1, 2) }),
  fc.record({ act: fc.constant('reorganise' as const), depth: fc.integer({ min: 1, max: 6 }), comesBack: fc.boolean() }),
  fc.record({ act: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: CONFIRMATIONS }) }),
  fc.record({ act: fc.constant('look' as const), claims: fc.boolean(), countsFirst: fc.boolean(), lag: fc.constantFrom(0, 0, 1, 5) }),
  fc.record({ act: fc.constant('say' as const), report }),
  fc.record({ act: fc.constant('grace' as const) }),
  fc.record({ act: fc.constant('decide' as const), decision: fc.constantFrom('accept' as const, 'writeOff' as const, 'resume' as const) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function play(events: readonly Event[], bugs: Bugs): void {
  const books = new Books(bugs);
  for (const each of events) {
    if (each.act === 'mint') books.mint(each.what, each.amount, each.logs);
    else if (each.act === 'reorganise') books.reorganise(each.depth, each.comesBack);
    else if (each.act === 'mine') books.mine(each.blocks);
    else if (each.act === 'look') books.look(each.claims, each.countsFirst, each.lag);
    else if (each.act === 'say') books.apply({ kind: 'bridgeSaid', report: each.report });
    else if (each.act === 'grace') books.apply({ kind: 'graceOver', reason: 'BRIDGE_SILENT' });
    else books.apply({ kind: 'decided', decision: each.decision, note: '' });
    check(books, false);
  }
  // The faults are over: the chain goes on, and two looks find what is there.
  books.mine(CONFIRMATIONS);
  books.look(true);
  books.look(true);
  check(books, true);
}

function check(books: Books, settled: boolean): void {
  const sent = decimal(books.deposit.amount);
  const [source, asked] = [assetOf(TKN), assetOf(USDC)];
  // Every unit of what was sent is somewhere, once.
  must(sum(['inTransit', 'conversion', 'fees', 'suspense', 'transfers'].map((book) => books.sumOf(book, source))).isZero(), 'the source asset does not sum to zero');
  const standing = new Map(standingOf(books.deposit).map(({ book, asset, amount }) => [`${book} ${asset}`, amount]));
  for (const book of ['inTransit', 'conversion', 'fees']) must(books.sumOf(book, source) === (standing.get(`${book} ${source}`) ?? '0'), `${book} is not what the deposit says`);
  const places = ['inTransit', 'conversion', 'suspense'].filter((book) => decimal(books.sumOf(book, source)).equals(sent));
  const isRefunded = books.deposit.refunds.length > 0 && books.deposit.received.length === 0;
  must(places.length === (isRefunded ? 0 : 1), `what was sent is in ${places.join()}`);
  const paid = books.rows.filter((row) => row.state === 'deposit' && row.transfer.to !== USER_WALLET);
  must(paid.length <= 1, `${paid.length} transfers pay the deposit`);
  if (!settled) return;
  for (const asset of [asked, assetOf(OTHER)]) {
    const there = sum(books.chain.filter((each) => each.asset === asset).map((each) => each.amount));
    const credited = decimal(books.sumOf('wallet', asset)).plus(decimal(books.sumOf('suspense', asset)));
    must(credited.equals(there), `${decimalText(credited)} ${asset} are credited, ${decimalText(there)} are there`);
  }
}

const property = (bugs: Bugs) => fc.property(fc.array(event, { minLength: 1, maxLength: 30, size: 'max' }), (events) => play(events, bugs));
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
/** Each planted bug is met by these sequences; random ones miss the rare of them now and then. */
const PLANTED_SEED = 3;

describe(`the books of a deposit over ${RUNS} random fault sequences (SEED=${seed})`, () => {
  test('credited is what final transfers brought, each unit sent is somewhere, and no fact is booked twice', () => {
    fc.assert(property({}), { seed, numRuns: RUNS });
  });

  test.each([
    ['the quote is credited instead of the transfer', { creditsTheQuote: true }],
    ['a transfer in another block is counted again', { countsAgainInAnotherBlock: true }],
    ['a credit whose block went away stays', { forgetsReversals: true }],
    ['two transfers of one transaction pay it', { paysTwice: true }],
    ['a refund leaves the amount between the chains', { keepsTransitOnRefund: true }],
    ['a transfer is taken back on the word of a node that lags behind', { believesNodesThatLag: true }],
  ] as const)('finds it where %s', (_what, bugs) => {
    expect(fc.check(property(bugs), { seed: PLANTED_SEED, numRuns: RUNS }).failed).toBe(true);
  });
});
