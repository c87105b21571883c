import { describe, expect, test } from '@jest/globals';
import { attribute, judgeTransfer } from '../../../src/domain/chain-transfers';
import { assetOf, DEPOSIT_STATES, progressOf, type Deposit } from '../../../src/domain/deposit';
import { advance, type DepositFact } from '../../../src/domain/deposit-state';
import { depositSample, hash, minedSource, OTHER, transferSample, USDC } from './deposit-samples';

const play = (facts: readonly DepositFact[], deposit: Deposit = depositSample()): Deposit => facts.reduce((now, fact) => advance(now, fact) ?? now, deposit);
const quoted: DepositFact = { kind: 'quoted', quote: null as never };
const sent: DepositFact = { kind: 'sourceSent', hash: hash('a1'), neededConfirmations: 3 };
const confirmed: DepositFact = { kind: 'sourceConfirmed', source: minedSource() };
const said = (status: string, substatus: string | null = null): DepositFact => ({ kind: 'bridgeSaid', report: { status, substatus, message: null, receivingHash: null, at: '2026-01-01T00:00:00.000Z' } });

describe('a deposit moves', () => {
  test.each<[string, readonly DepositFact[], Partial<Deposit>]>([
    ['to FAILED where no bridge offers anything', [{ kind: 'quoteRefused', reason: 'NO_ROUTE' }], { state: 'FAILED', reason: 'NO_ROUTE' }],
    ['to CANCELED before anything is sent', [quoted, { kind: 'canceled' }], { state: 'CANCELED' }],
    ['nowhere by a cancel after it was sent', [quoted, sent, { kind: 'canceled' }], { state: 'SOURCE_SUBMITTED' }],
    ['to EXPIRED when nobody signs', [quoted, { kind: 'expired' }], { state: 'EXPIRED' }],
    ['to the hash that replaced the first', [quoted, sent, { kind: 'sourceReplaced', hash: hash('a2'), nonce: 7 }], { state: 'SOURCE_SUBMITTED', reason: 'SOURCE_REPLACED' }],
    ['to FAILED where its nonce went to something else', [quoted, sent, { kind: 'sourceAbandoned', hash: hash('a3') }], { state: 'FAILED', reason: 'SOURCE_ABANDONED' }],
    ['back to AWAITING_SIGNATURE where it was dropped', [quoted, sent, { kind: 'sourceDropped' }], { state: 'AWAITING_SIGNATURE', reason: 'SOURCE_DROPPED' }],
    ['back to AWAITING_SIGNATURE where the chain shows another transaction', [quoted, sent, { kind: 'sourceWrong', reason: 'OTHER_SENDER' }], { state: 'AWAITING_SIGNATURE', source: null }],
    ['to FAILED where the source reverted', [quoted, sent, { kind: 'sourceReverted', source: minedSource() }], { state: 'FAILED', sourceOutcome: 'reverted' }],
    ['to REFUND_PENDING by the word of a refund, FAILED or not', [quoted, sent, confirmed, said('FAILED', 'REFUND_IN_PROGRESS')], { state: 'REFUND_PENDING' }],
    ['to REFUNDED only by a transfer', [quoted, sent, confirmed, said('DONE', 'REFUNDED'), { kind: 'refundFinal', transfer: transferSample() }], { state: 'REFUNDED' }],
    ['never to CREDITED by the bridge\'s word', [quoted, sent, confirmed, said('DONE', 'COMPLETED')], { state: 'BRIDGING' }],
    ['to DEST_SEEN and back while blocks change', [quoted, sent, confirmed, { kind: 'destinationSeen', transfer: transferSample() }, { kind: 'destinationVoided', transfer: transferSample() }], { state: 'BRIDGING', reason: 'DESTINATION_REORGANISED' }],
    ['to MANUAL_REVIEW after grace, and on by a decision', [quoted, sent, confirmed, { kind: 'graceOver', reason: 'BRIDGE_SILENT' }, { kind: 'decided', decision: 'resume', note: '' }], { state: 'BRIDGING', reason: 'RESUMED' }],
    ['to FAILED when what never came is written off', [quoted, sent, confirmed, { kind: 'graceOver', reason: 'BRIDGE_SILENT' }, { kind: 'decided', decision: 'writeOff', note: '' }], { state: 'FAILED', writtenOff: true }],
    ['nowhere by money before its source is final', [quoted, sent, { kind: 'destinationFinal', transfer: transferSample() }, { kind: 'refundFinal', transfer: transferSample() }], { state: 'SOURCE_SUBMITTED', received: [] }],
    ['nowhere by a second transfer: it is paid once', [quoted, sent, confirmed, { kind: 'destinationFinal', transfer: transferSample() }, { kind: 'destinationFinal', transfer: transferSample({ logIndex: 1 }) }], { state: 'CREDITED', received: [{ asset: transferSample().asset, amount: '99', txHash: hash('f1') }] }],
    ['nowhere by a second accept', [quoted, sent, confirmed, { kind: 'destinationFinal', transfer: transferSample() }, { kind: 'decided', decision: 'accept', note: '' }], { state: 'CREDITED', reason: null }],
  ])('%s', (_what, facts, expected) => {
    expect(play(facts)).toMatchObject(expected);
  });

  test('with its confirmations, counted up to what is needed', () => {
    const seen = play([quoted, sent, { kind: 'sourceSeen', source: minedSource({ confirmations: 2 }) }]);
    expect([seen.source?.confirmations, progressOf(seen).step]).toEqual([2, 3]);
    expect(advance(seen, { kind: 'sourceSeen', source: minedSource({ confirmations: 2 }) })).toBeNull();
    expect(play([{ kind: 'sourceSeen', source: minedSource({ confirmations: 9 }) }], seen).source?.confirmations).toBe(3);
  });

  test('forward in percent on its way', () => {
    const states = ['CREATED', 'AWAITING_SIGNATURE', 'SOURCE_SUBMITTED', 'SOURCE_CONFIRMED', 'BRIDGING', 'DEST_SEEN', 'CREDITED'] as const;
    const percents = states.map((state) => progressOf({ state, source: null }).percent);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(percents.at(-1)).toBe(100);
    for (const state of DEPOSIT_STATES) expect(progressOf({ state, source: null }).step).toBeGreaterThan(0);
  });
});

describe('a transfer', () => {
  const at = { blockNumber: 100, blockHash: hash('c100') };
  const view = { headNumber: 102, blockHashAtHeight: hash('c100'), neededConfirmations: 3 };

  test.each([
    ['counts once it is deep enough', 'seen', view, 'count'],
    ['waits before', 'seen', { ...view, headNumber: 101 }, 'wait'],
    ['is void when its block is gone', 'seen', { ...view, blockHashAtHeight: hash('d100') }, 'void'],
    ['is kept where the node that was asked lags behind', 'seen', { ...view, blockHashAtHeight: null }, 'keep'],
    ['stays counted on the word of a node that lags behind', 'direct', { ...view, headNumber: 80, blockHashAtHeight: null }, 'keep'],
    ['is taken back when its block is gone after it was counted', 'deposit', { ...view, blockHashAtHeight: hash('d100') }, 'reverse'],
    ['stays counted', 'direct', view, 'keep'],
    ['that was void stays so in that block', 'voided', view, 'keep'],
  ] as const)('%s', (_what, state, seen, verdict) => {
    expect(judgeTransfer(at, state, seen)).toBe(verdict);
  });

  const facts = { claimedBy: null, beside: [], open: [], paidBefore: null, isFromVenue: false, waitedMs: 0, claimWithinMs: 1_000, taken: USDC.address };
  const open = (id: string, receivingHash: `0x${string}` | null = null): Deposit => depositSample({ id, state: 'BRIDGING', quote: { receive: '99' } as never, bridge: receivingHash === null ? null : { status: 'DONE', substatus: null, message: null, receivingHash, at: '' } });

  test.each([
    ['is a deposit\'s whose bridge named it', { ...facts, open: [open('a'), open('b', hash('f1'))] }, { kind: 'deposit', depositId: 'b' }],
    ['is held where another of its transaction is nearer to what was quoted', { ...facts, claimedBy: { ...open('a', hash('f1')), quote: { receive: '99.5' } as never }, beside: [transferSample({ logIndex: 4, amount: '99.4' })] }, { kind: 'unclaimed', why: 'log 4 of its transaction pays deposit a' }],
    ['is a deposit\'s where it is nearest itself', { ...facts, claimedBy: open('a', hash('f1')), beside: [transferSample({ logIndex: 4, amount: '1' })] }, { kind: 'deposit', depositId: 'a' }],
    ['is a deposit\'s as the first of two that are the same', { ...facts, claimedBy: open('a', hash('f1')), beside: [transferSample({ logIndex: 4, amount: '99' })] }, { kind: 'deposit', depositId: 'a' }],
    ['in the token that was asked for comes before any other', { ...facts, claimedBy: open('a', hash('f1')), beside: [transferSample({ logIndex: 4, asset: assetOf(OTHER), token: OTHER.address, amount: '100' })] }, { kind: 'deposit', depositId: 'a' }],
    ['is held where its deposit was paid before', { ...facts, claimedBy: { ...open('a', hash('f1')), received: [{ asset: 'x', amount: '1', txHash: hash('f7') }] } }, { kind: 'unclaimed', why: `deposit a was paid by ${hash('f7')} before` }],
    ['waits for a deposit that may claim it', { ...facts, open: [open('a')] }, { kind: 'wait' }],
    ['is the only waiting deposit\'s after a while', { ...facts, open: [open('a')], waitedMs: 1_000 }, { kind: 'deposit', depositId: 'a' }],
    ['is the user\'s where a venue pays it back, though a deposit waits', { ...facts, open: [open('a')], isFromVenue: true, waitedMs: 1_000 }, { kind: 'direct' }],
    ['is nobody\'s where two deposits wait', { ...facts, open: [open('a'), open('b')], waitedMs: 1_000 }, { kind: 'unclaimed', why: '2 deposits wait for this token' }],
    ['is held where its sender has paid before', { ...facts, paidBefore: { depositId: 'a' } }, { kind: 'unclaimed', why: 'its sender has paid for deposit a before' }],
    ['is the user\'s in the token that is taken', facts, { kind: 'direct' }],
    ['is held in any other', { ...facts, taken: hash('0') }, { kind: 'unclaimed', why: 'not the token that is taken' }],
  ])('%s', (_what, given, expected) => {
    expect(attribute(transferSample(), given)).toEqual(expected);
  });
});
