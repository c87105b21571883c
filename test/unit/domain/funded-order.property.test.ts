/**
 * What is done with a deposit's money at its venue, under random faults: workers that die between any two steps, answers that are lost, a venue that
 * refuses, a ledger and a chain that are late, facts that come twice. There is one order and one withdrawal; what was credited is what
 * final transfers brought; every unit is accounted for, and the books sum to zero.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { advanceMove, nextMoveStep, takeMoveSend, type MoveRecord } from '../../../src/domain/collateral-move-state';
import { decimal, decimalText, ZERO } from '../../../src/domain/decimal';
import { assetOf, type Deposit } from '../../../src/domain/deposit';
import { advance } from '../../../src/domain/deposit-state';
import { ENDED_FUNDED_ORDER_STATES, FUNDED_ORDER_STATES, type FundedOrderFact, type FundedOrderState, type OnRefused } from '../../../src/domain/funded-order';
import { isBalanced } from '../../../src/domain/ledger';
import { unannounced, walletFactOf, type WalletFact } from '../../../src/domain/wallet-ledger';
import type { Withdrawal } from '../../../src/domain/withdrawal';
import { withdrawalFactOf } from '../../../src/domain/withdrawal-state';
import { hash, transferSample, USDC } from './deposit-samples';
import { way, type Action } from './funded-order-actions';
import { fundedDeposit } from './funded-order-samples';
import { withdrawalSample } from './withdrawal-samples';

const RUNS = 1_500;
const BROUGHT = '99';
const FEE = '1';
const usdc = assetOf(USDC);
/** What the venue's credit fixed. */
const FIRST_NONCE = 1_000;
const NEW_EXIT: MoveRecord = { state: 'SENDING', reasonCode: null, reasonMessage: null, sends: 0, doubted: false, absences: 0, unclears: 0, venueDeadlineMs: null, sendUntilMs: 1_000_000 };

interface Bugs {
  readonly signsAnew?: boolean;
  readonly nonceOfTheDatabase?: boolean;
  readonly listOfAnyName?: boolean;
  readonly countsByTheVenue?: boolean;
  readonly feeForgotten?: boolean;
}

class World {
  deposit: Deposit;
  readonly sums = new Map<string, string>();
  readonly facts = new Set<string>();
  readonly met = new Set<FundedOrderState>();
  /** By client list id. */
  readonly lists = new Map<string, { filled: string; state: 'ACTIVE' | 'REJECTED' | 'CANCELED' }>();
  private funding: Withdrawal = withdrawalSample({ id: 'w-1', state: 'APPROVED', amount: BROUGHT });
  private atVenue = ZERO;
  private creditShown = false;
  private claimed = false;
  /** What the venue took, by nonce: each once. */
  private readonly taken = new Map<number, string>();
  private readonly shown = new Set<number>();
  private exit: { nonce: number; record: MoveRecord } | null = null;
  private nonces = 0;
  private nowMs = 0;
  private refuses = false;
  private onChain: string[] = [];
  private counted = 0;

  constructor(onRefused: OnRefused, private readonly bugs: Bugs) {
    this.deposit = { ...fundedDeposit({ onRefused }), received: [{ asset: usdc, amount: BROUGHT, txHash: hash('f1') }] };
    this.book(unannounced(transferSample({ amount: '100' }), 'direct', 0));
    this.bookFunding(null, this.funding);
  }

  do(action: Action): void {
    switch (action.kind) {
      case 'look':
        return this.look(action.steps, action.lost);
      case 'funded':
        if (this.funding.state === 'APPROVED') {
          this.fundingTo({ state: 'COMPLETED', transaction: { nonce: 1, hash: hash('e1'), earlierHashes: [], confirmations: 3, neededConfirmations: 3, gasFee: '0.001' } });
          // There is other money of the user's: what is sent twice is paid twice.
          this.atVenue = decimal('300');
        }
        return;
      case 'fundingFailed':
        return this.funding.state === 'APPROVED' ? this.fundingTo({ state: 'FAILED', reason: 'OTHER_WALLET' }) : undefined;
      case 'venueCredits':
        this.creditShown ||= this.funding.state === 'COMPLETED';
        return;
      case 'entryRefused':
      case 'canceled':
        for (const list of this.lists.values()) if (list.state === 'ACTIVE' && list.filled === '0') list.state = action.kind === 'canceled' ? 'CANCELED' : 'REJECTED';
        return;
      case 'entryFills':
        for (const list of this.lists.values()) if (list.state === 'ACTIVE') list.filled = '1';
        return;
      case 'ledgerCatchesUp':
        for (const nonce of this.taken.keys()) this.shown.add(nonce);
        return;
      case 'chainPays':
        this.onChain = [...this.taken.values()].map((amount) => decimalText(decimal(amount).minus(FEE)));
        return;
      case 'scan':
      case 'scanAgain':
        while (this.counted < this.onChain.length) {
          const amount = this.onChain[this.counted] ?? '0';
          this.book(unannounced(transferSample({ txHash: hash(`b${this.counted}`), amount }), 'direct', 0));
          this.counted += 1;
        }
        return;
      case 'venueRefuses':
        this.refuses = !this.refuses;
        return;
      case 'timePasses':
        this.nowMs += 30_000;
        return;
      case 'databaseRestored':
        // To before the withdrawal was signed: what was asked of the venue since is forgotten here, and not there.
        if (this.order().state === 'RETURNING') {
          const { destination } = this.deposit;
          // A person's resume is forgotten too, and with it the nonce after the first: a restore takes longer than the venue's ledger.
          if (this.exit !== null && this.exit.nonce > FIRST_NONCE && this.bugs.nonceOfTheDatabase !== true) for (const nonce of this.taken.keys()) this.shown.add(nonce);
          this.exit = null;
          if (destination != null) this.deposit = { ...this.deposit, destination: { ...destination, order: { ...this.order(), back: null } } };
        }
        return;
      case 'resumed': {
        const after = advance(this.deposit, { kind: 'decided', decision: 'resume', note: 'again' });
        if (this.order().state !== 'HELD' || after === null) return;
        this.deposit = after;
        if (this.exit?.record.state === 'REFUSED') this.exit = { nonce: this.exit.nonce + 1, record: { ...NEW_EXIT, sends: this.exit.record.sends, sendUntilMs: this.nowMs + 1_000_000 } };
      }
    }
  }

  /** What funded-order-path.ts and venue-exits.ts do, each durable step apart. */
  private look(steps: number, lost: boolean): void {
    let left = steps;
    const alive = (): boolean => (left -= 1) >= 0;
    const order = this.order();
    if (ENDED_FUNDED_ORDER_STATES.has(order.state) || !alive()) return;
    switch (order.state) {
      case 'WAITING':
        if (this.funding.state === 'FAILED') return this.record({ kind: 'notFunded', reason: 'OTHER_WALLET' });
        if (!this.creditShown || this.claimed) return;
        this.claimed = true;
        return this.record({ kind: 'venueCredited', amount: BROUGHT, at: 'now', exitNonce: '1' });
      case 'FUNDED': {
        const name = this.bugs.listOfAnyName === true ? `${order.list.clientListId}-${this.lists.size}` : order.list.clientListId;
        if (!this.lists.has(name)) this.lists.set(name, { filled: '0', state: 'ACTIVE' });
        return alive() ? this.record({ kind: 'orderPlaced', orderListId: order.list.id }) : undefined;
      }
      case 'PLACED': {
        const [list] = [...this.lists.values()];
        if (list === undefined) throw new Error('placed, and there is no list');
        if (list.filled !== '0') return this.record({ kind: 'orderFilled', filledQuantity: list.filled, avgPrice: '1' });
        if (list.state !== 'ACTIVE') this.record(list.state === 'REJECTED' ? { kind: 'orderRefused', reason: 'RISK' } : { kind: 'orderUnfilled', reason: 'CANCELED' });
        return;
      }
      case 'RETURNING':
        return this.bring(alive, lost);
      case 'LEFT':
        if (this.counted > 0 || this.bugs.countsByTheVenue === true) this.record({ kind: 'returnArrived', txHash: hash('b0') });
        return;
      default:
        return;
    }
  }

  private bring(alive: () => boolean, lost: boolean): void {
    if (this.exit === null || this.bugs.signsAnew === true) {
      const ofCredit = FIRST_NONCE + (this.bugs.signsAnew === true || this.bugs.nonceOfTheDatabase === true ? (this.nonces += 1) : 0);
      // A database that was restored asks what its credit's nonces have done already.
      const before = this.bugs.nonceOfTheDatabase === true ? undefined : [...this.shown].find((nonce) => nonce >= FIRST_NONCE);
      this.exit = { nonce: before ?? ofCredit, record: this.exit?.record ?? (before === undefined ? NEW_EXIT : { ...NEW_EXIT, state: 'UNKNOWN', doubted: true }) };
    }
    if (!alive()) return;
    this.record({ kind: 'returnSigned', amount: BROUGHT, fee: FEE });
    const { exit } = this;
    const learn = (fact: Parameters<typeof advanceMove>[1]): void => void (exit.record = advanceMove(exit.record, fact) ?? exit.record);
    for (let asked = false; alive(); ) {
      switch (nextMoveStep(exit.record, this.nowMs, asked)) {
        case 'end':
          return this.record(exit.record.state === 'APPLIED' ? { kind: 'returnLeft' } : { kind: 'held', reason: exit.record.reasonCode ?? 'HELD' });
        case 'wait':
          return;
        case 'timeOver':
          learn({ kind: 'timeOver' });
          break;
        case 'ask':
          learn(this.shown.has(exit.nonce) ? { kind: 'applied' } : { kind: 'absent', venueTimeMs: this.nowMs, finalAfterMs: 120_000 });
          asked = true;
          break;
        case 'send': {
          const doubtedBefore = exit.record.doubted;
          exit.record = takeMoveSend(exit.record);
          if (!alive()) return;
          const isTaken = this.taken.has(exit.nonce);
          const isRefused = !isTaken && (this.refuses || this.atVenue.lessThan(BROUGHT));
          if (!isTaken && !isRefused) {
            this.taken.set(exit.nonce, BROUGHT);
            this.atVenue = this.atVenue.minus(BROUGHT);
          }
          if (!alive()) return;
          learn(lost || !isRefused ? { kind: 'lost', message: 'to be read' } : { kind: 'refused', send: exit.record.sends, doubtedBefore, code: 'VENUE_REJECTED', message: 'no' });
          if (exit.record.state !== 'REFUSED') return;
          break;
        }
      }
    }
  }

  check(): void {
    const { state } = this.order();
    const held = decimal(this.sums.get(`wallet ${usdc}`) ?? '0').plus(this.sums.get(`reserved ${usdc}`) ?? '0');
    // What the wallet has is what final transfers brought, less what final transfers took.
    const out = this.funding.state === 'COMPLETED' ? decimal(BROUGHT) : ZERO;
    const came = this.onChain.slice(0, this.counted).reduce((sumOf, amount) => sumOf.plus(amount), ZERO);
    const all = [...this.sums].filter(([name]) => name.endsWith(usdc)).reduce((sumOf, [, amount]) => sumOf.plus(amount), ZERO);
    const wrong = {
      'more than one order': this.lists.size > 1,
      'more than one withdrawal from the venue': this.taken.size > 1,
      'the wallet has another amount than transfers brought': !held.equals(decimal('100').minus(out).plus(came)),
      'the books do not sum to zero': !all.isZero(),
      'returned, and not all of it is in the books': state === 'RETURNED' && !(this.counted === 1 && this.sums.get(`fees ${usdc}`) === FEE && this.sums.get(`transfers ${usdc}`) === '-100'),
      'withdrawn though its order stands': (state === 'KEPT' || state === 'UNFILLED' || state === 'FILLED') && this.taken.size > 0,
    };
    for (const [what, is] of Object.entries(wrong)) if (is) throw new Error(what);
  }

  private order() {
    const order = this.deposit.destination?.order;
    if (order === undefined) throw new Error('there is no order');
    return order;
  }

  private record(fact: FundedOrderFact): void {
    const before = this.deposit;
    const after = advance(before, fact);
    if (after === null) return;
    if (ENDED_FUNDED_ORDER_STATES.has(this.order().state) && fact.kind !== 'returnLeft') throw new Error(`${this.order().state} was left by ${fact.kind}`);
    this.deposit = { ...after, revision: before.revision + 1 };
    this.met.add(this.order().state);
    const moved = walletFactOf(before, this.deposit, fact);
    if (moved !== null && this.bugs.feeForgotten !== true) this.book(moved);
  }

  private fundingTo(changes: Partial<Withdrawal>): void {
    const before = this.funding;
    this.funding = { ...before, ...changes, revision: before.revision + 1 };
    this.bookFunding(before, this.funding);
  }

  private bookFunding(before: Withdrawal | null, after: Withdrawal): void {
    const moved = withdrawalFactOf(before, after);
    if (moved !== null) this.book(moved);
  }

  private book({ fact, postings }: WalletFact): void {
    if (!isBalanced(postings)) throw new Error(`${fact} is not balanced`);
    if (this.facts.has(fact)) throw new Error(`${fact} was booked twice`);
    this.facts.add(fact);
    for (const { book, asset, amount } of postings) this.sums.set(`${book} ${asset}`, decimalText(decimal(this.sums.get(`${book} ${asset}`) ?? '0').plus(decimal(amount))));
  }
}

function holds(bugs: Bugs, met?: Set<string>): fc.IPropertyWithHooks<[OnRefused, Action[]]> {
  return fc.property(fc.constantFrom('keep' as const, 'return' as const), way, (onRefused, actions) => {
    const world = new World(onRefused, bugs);
    for (const each of actions) {
      world.do(each);
      world.check();
    }
    for (const state of world.met) met?.add(state);
  });
}

describe('a deposit\'s money at its venue', () => {
  test('is ordered with once and comes back once, and every unit of it is in the books, whatever fails in whatever order', () => {
    const met = new Set<string>(['WAITING']);
    fc.assert(holds({}, met), { numRuns: RUNS, verbose: 1 });
    expect([...met].sort()).toEqual([...FUNDED_ORDER_STATES].sort());
  });

  test.each<[string, Bugs]>([
    ['each look signs another withdrawal', { signsAnew: true }],
    ['a restored database gives another nonce', { nonceOfTheDatabase: true }],
    ['the list has a name of the attempt\'s', { listOfAnyName: true }],
    ['the venue\'s word counts as an arrival', { countsByTheVenue: true }],
    ['the fee is in no book', { feeForgotten: true }],
  ])('the planted bug is found: %s', (_bug, bugs) => {
    expect(fc.check(holds(bugs), { numRuns: RUNS }).failed).toBe(true);
  });
});
