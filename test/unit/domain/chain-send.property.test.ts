/** Random processes, crashes, releases, foreign transactions: no nonce twice, and none that stops what comes after it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { blockingNonce, freeNonce, raisedFees } from '../../../src/domain/chain-send';

const RUNS = 1_500;

interface Rules {
  readonly free: typeof freeNonce;
  readonly blocking: typeof blockingNonce;
  /** Whether a transaction that waits sees to a filler that has not left. */
  readonly tends: (nonce: number, filler: number) => boolean;
}
const OURS: Rules = { free: freeNonce, blocking: blockingNonce, tends: (nonce, filler) => filler < nonce };

interface Send {
  nonce: number;
  state: 'allocated' | 'signed' | 'released' | 'mined' | 'displaced';
  readonly isFiller?: boolean;
}

/** What the database and the chain hold; each step is a transaction of some process, or a block. */
class Signer {
  readonly sends: Send[] = [];
  used = 0;

  constructor(private readonly rules: Rules) {}

  get taken(): number[] {
    return this.sends.filter((send) => send.state !== 'released').map((send) => send.nonce);
  }

  /** A node that lags behind tells fewer transactions than there are. */
  allocate(lag: number): void {
    const nonce = this.rules.free(Math.max(0, this.used - lag), this.taken);
    if (lag === 0 && nonce < this.used) throw new Error(`nonce ${nonce} was used before`);
    this.sends.push({ nonce, state: 'allocated' });
  }

  sign(pick: number): void {
    const send = this.pick('allocated', pick);
    if (send !== undefined) send.state = 'signed';
  }

  release(pick: number): void {
    const send = this.pick('allocated', pick);
    if (send !== undefined && send.isFiller !== true) send.state = 'released';
  }

  /** A worker signs what a gap stops, looks at it, and dies once the filler of that gap has a nonce. */
  fill(pick: number): void {
    const stopped = this.sends.filter(({ nonce, state, isFiller }) => isFiller !== true && (state === 'signed' || state === 'allocated') && this.rules.blocking(nonce, this.used, this.taken) !== null);
    const send = stopped[pick % Math.max(1, stopped.length)];
    if (send === undefined) return;
    send.state = 'signed';
    this.fillBelow(send, 'allocated');
  }

  /** Somebody else who has the key. */
  foreign(): void {
    for (const send of this.sends) if (send.nonce === this.used && (send.state === 'signed' || send.state === 'allocated')) send.state = 'displaced';
    this.used += 1;
  }

  mine(): void {
    // A node that lagged told of too few: its nonce was somebody else's, and a look finds out.
    for (const send of this.sends) if (send.state === 'signed' && send.nonce < this.used) send.state = 'displaced';
    for (;;) {
      const next = this.sends.find((send) => send.state === 'signed' && send.nonce === this.used);
      if (next === undefined) return;
      next.state = 'mined';
      this.used += 1;
    }
  }

  /** Every worker is well again: what is open is signed and looked at until nothing moves. */
  settle(): void {
    for (let round = 0; round < 200; round += 1) {
      for (const send of this.sends) if (send.state === 'allocated' && send.isFiller !== true) send.state = 'signed';
      for (const send of this.sends.filter((each) => each.state === 'signed' && each.isFiller !== true)) {
        for (const each of this.sends) if (each.isFiller === true && each.state === 'allocated' && this.rules.tends(send.nonce, each.nonce)) each.state = 'signed';
        this.fillBelow(send, 'signed');
      }
      this.mine();
    }
  }

  private fillBelow(send: Send, state: 'allocated' | 'signed'): void {
    const gap = this.rules.blocking(send.nonce, this.used, this.taken);
    if (gap !== null) this.sends.push({ nonce: this.rules.free(this.used, this.taken), state, isFiller: true });
  }

  private pick(state: Send['state'], index: number): Send | undefined {
    const open = this.sends.filter((send) => send.state === state);
    return open[index % Math.max(1, open.length)];
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('allocate' as const), by: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sign' as const), by: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), by: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fill' as const), by: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign' as const), by: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mine' as const), by: fc.constant(0) }) },
);

function holds(rules: Rules): fc.IPropertyWithHooks<[{ kind: 'allocate' | 'sign' | 'release' | 'fill' | 'foreign' | 'mine'; by: number }[]]> {
  return fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const signer = new Signer(rules);
    for (const { kind, by } of steps) {
      signer[kind](by);
      const active = signer.sends.filter((send) => send.state !== 'released' && send.state !== 'displaced').map((send) => send.nonce);
      expect(new Set(active).size).toBe(active.length);
    }
    signer.settle();
    expect(signer.sends.filter((send) => send.state === 'signed' || send.state === 'allocated')).toEqual([]);
  });
}

describe('nonces of a signer', () => {
  test('are never given twice, and none is left open below one that is given', () => {
    fc.assert(holds(OURS), { numRuns: RUNS, verbose: 1 });
  });

  test.each<[string, Partial<Rules>]>([
    ['a nonce that was given is given again', { free: (used) => used }],
    ['a released nonce is never given again, and nothing fills it', { free: (used, taken) => Math.max(used, ...taken.map((nonce) => nonce + 1)), blocking: () => null }],
    ['gaps are not filled', { blocking: () => null }],
    ['nobody sees to a filler whose worker died', { tends: () => false }],
    ['what the chain has used is forgotten', { free: (_used, taken) => freeNonce(0, taken) }],
  ])('the planted bug is found: %s', (_bug, bug) => {
    expect(fc.check(holds({ ...OURS, ...bug }), { numRuns: RUNS }).failed).toBe(true);
  });
});

describe('the fee of a transaction that waits', () => {
  const fees = (base: string, max: string, tip = '1') => ({ baseFeePerGas: base, maxFeePerGas: max, maxPriorityFeePerGas: tip });
  test('stays while the chain takes it', () => {
    expect(raisedFees({ maxFeePerGas: '100', maxPriorityFeePerGas: '1' }, fees('100', '201'))).toBeNull();
  });
  test('rises by an eighth at least, both parts of it, and to what is asked now', () => {
    expect(raisedFees({ maxFeePerGas: '100', maxPriorityFeePerGas: '8' }, fees('101', '102'))).toEqual({ maxFeePerGas: '113', maxPriorityFeePerGas: '9' });
    expect(raisedFees({ maxFeePerGas: '100', maxPriorityFeePerGas: '8' }, fees('300', '601', '40'))).toEqual({ maxFeePerGas: '601', maxPriorityFeePerGas: '40' });
  });
});
