/** Random orders of what people, signers and chains say of a withdrawal: its money is in one place at a time, and what left is counted. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, ZERO } from '../../../src/domain/decimal';
import { assetOf } from '../../../src/domain/deposit';
import { isBalanced } from '../../../src/domain/ledger';
import { ENDED_WITHDRAWAL_STATES, UNSIGNED_WITHDRAWAL_STATES, WITHDRAWAL_STATES, type Withdrawal } from '../../../src/domain/withdrawal';
import { advanceWithdrawal, standingOfWithdrawal, withdrawalFactOf, type WithdrawalFact } from '../../../src/domain/withdrawal-state';
import { hash, USDC } from './deposit-samples';
import { withdrawalSample } from './withdrawal-samples';

const RUNS = 1_500;
const SAMPLE = withdrawalSample();

type Advance = typeof advanceWithdrawal;

/** The world says only what can be: an end of the transaction once, and only of one that was signed. */
class World {
  withdrawal = SAMPLE;
  readonly sums = new Map<string, string>();
  readonly facts = new Set<string>();
  paid = false;
  private over = false;
  private signedOnce = false;

  constructor(private readonly advance: Advance) {
    this.book(null, SAMPLE);
  }

  say(fact: WithdrawalFact): void {
    if (fact.kind === 'signed') {
      if (!this.signedOnce && this.withdrawal.state !== 'APPROVED') return;
      this.signedOnce = true;
    }
    const ends = fact.kind === 'paid' || fact.kind === 'reverted' || fact.kind === 'displaced';
    if (ends && (this.over || !this.signedOnce)) return;
    if (ends) this.over = true;
    if (fact.kind === 'paid') this.paid = true;
    const before = this.withdrawal;
    const after = this.advance(before, fact);
    if (after === null) return;
    if (ENDED_WITHDRAWAL_STATES.has(before.state)) throw new Error(`${before.state} was left by ${fact.kind}`);
    this.withdrawal = { ...after, revision: before.revision + 1 };
    this.book(before, this.withdrawal);
  }

  check(): void {
    const { state, decidedBy, requestedBy } = this.withdrawal;
    const standing = Object.fromEntries(standingOfWithdrawal(this.withdrawal).map(({ book, asset, amount }) => [`${book} ${asset}`, amount]));
    expect(Object.fromEntries([...this.sums].filter(([, amount]) => amount !== '0'))).toEqual(standing);
    const usdc = assetOf(USDC);
    expect(this.sums.get(`reserved ${usdc}`) ?? '0').toBe(ENDED_WITHDRAWAL_STATES.has(state) ? '0' : '40');
    if (this.paid) expect([state, this.sums.get(`transfers ${usdc}`)]).toEqual(['COMPLETED', '40']);
    else expect(this.sums.get(`transfers ${usdc}`) ?? '0').toBe('0');
    if (!UNSIGNED_WITHDRAWAL_STATES.has(state) && !['CANCELED', 'EXPIRED'].includes(state)) expect(decidedBy).not.toBe(requestedBy);
  }

  private book(before: Withdrawal | null, after: Withdrawal): void {
    const moved = withdrawalFactOf(before, after);
    if (moved === null) return;
    expect(isBalanced(moved.postings)).toBe(true);
    expect(this.facts.has(moved.fact)).toBe(false);
    this.facts.add(moved.fact);
    for (const { book, asset, amount } of moved.postings) this.sums.set(`${book} ${asset}`, decimalText((this.sums.has(`${book} ${asset}`) ? decimal(this.sums.get(`${book} ${asset}`) ?? '0') : ZERO).plus(decimal(amount))));
  }
}

const by = fc.constantFrom('key:asks', 'key:approves');
const some = fc.constantFrom(hash('a1'), hash('a2'));
const fact: fc.Arbitrary<WithdrawalFact> = fc.oneof(
  fc.record({ kind: fc.constant('approved' as const), by, note: fc.constant('n') }),
  fc.record({ kind: fc.constant('refused' as const), by, note: fc.constant('n') }),
  fc.record({ kind: fc.constant('canceled' as const), by }),
  fc.constant({ kind: 'expired' } as const),
  fc.record({ kind: fc.constant('held' as const), reason: fc.constantFrom('NO_GAS', 'SIGNER_SILENT') }),
  fc.record({ kind: fc.constant('impossible' as const), reason: fc.constant('WOULD_REVERT') }),
  fc.record({ kind: fc.constant('signed' as const), nonce: fc.constant(3), hash: some, neededConfirmations: fc.constant(3) }),
  fc.constant({ kind: 'sent' } as const),
  fc.record({ kind: fc.constant('seen' as const), hash: some, confirmations: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ kind: fc.constant('paid' as const), hash: some, gasFee: fc.constant('0.001'), confirmations: fc.constant(3) }),
  fc.record({ kind: fc.constant('reverted' as const), hash: some, gasFee: fc.constant('0.001'), confirmations: fc.constant(3) }),
  fc.record({ kind: fc.constant('displaced' as const), hash: some }),
);
const approvedFirst = fc.array(fact, { maxLength: 14 }).map((facts): WithdrawalFact[] => [{ kind: 'approved', by: 'key:approves', note: 'n' }, { kind: 'signed', nonce: 3, hash: hash('a1'), neededConfirmations: 3 }, ...facts]);

function holds(advance: Advance): fc.IPropertyWithHooks<[WithdrawalFact[]]> {
  return fc.property(fc.oneof(fc.array(fact, { maxLength: 16 }), approvedFirst), (facts) => {
    const world = new World(advance);
    for (const each of facts) {
      world.say(each);
      world.check();
    }
  });
}

describe('a withdrawal', () => {
  test('has its amount in one place at a time, and what a chain paid is what left the books, whatever is said in whatever order', () => {
    fc.assert(holds(advanceWithdrawal), { numRuns: RUNS, verbose: 1 });
  });

  test.each<[string, Advance]>([
    ['called off after it was signed', (withdrawal, said) => (said.kind === 'canceled' && !ENDED_WITHDRAWAL_STATES.has(withdrawal.state) ? { ...withdrawal, state: 'CANCELED' } : advanceWithdrawal(withdrawal, said))],
    ['approved by who asked', (withdrawal, said) => (said.kind === 'approved' && withdrawal.state === 'AWAITING_APPROVAL' ? { ...withdrawal, state: 'APPROVED', decidedBy: said.by } : advanceWithdrawal(withdrawal, said))],
    ['an end that is left', (withdrawal, said) => (said.kind === 'sent' && withdrawal.state === 'FAILED' ? { ...withdrawal, state: 'SUBMITTED' } : advanceWithdrawal(withdrawal, said))],
    ['paid and not completed', (withdrawal, said) => (said.kind === 'paid' && withdrawal.state === 'SIGNED' ? null : advanceWithdrawal(withdrawal, said))],
  ])('the planted bug is found: %s', (_bug, advance) => {
    expect(fc.check(holds(advance), { numRuns: RUNS }).failed).toBe(true);
  });

  test('is in each of its states on some way', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(fc.array(fact, { maxLength: 16 }), approvedFirst), (facts) => {
        const world = new World(advanceWithdrawal);
        for (const each of facts) {
          world.say(each);
          met.add(world.withdrawal.state);
        }
      }),
      { numRuns: RUNS },
    );
    expect([...met].sort()).toEqual([...WITHDRAWAL_STATES].sort());
  });
});
