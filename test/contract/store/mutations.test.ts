import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import type { MutationIntent, RecordedMutation } from '../../../src/domain/order-store';
import { intentFor, OWNER, openStoreWorld, seen, signingVenue, SYMBOL, viewOf, type StoreWorld } from './harness';
import { mutationOf, workingOrder } from './mutation-samples';

let world: StoreWorld;
let account: Account;
beforeAll(async () => {
  world = await openStoreWorld([signingVenue('rigid', { amend: 'none' })]);
  account = await world.newAccount();
});
afterAll(() => world.close());

const working = (changes: Partial<OrderIntent> = {}, of: Account = account): Promise<OrderIntent> => workingOrder(world, intentFor(of, changes));
const mutation = (kind: 'amend' | 'cancel', of: OrderIntent, changes: Partial<MutationIntent> = {}): MutationIntent => mutationOf(world, kind, of, changes);
const record = (intent: MutationIntent) => world.store.mutations.record(intent, OWNER);
const attemptOf = (recorded: RecordedMutation): string => (recorded.verdict === 'accepted' ? recorded.attemptId : null) ?? '';
const exposure = async (of: Account) => (await world.store.accounts.figures(of.id, [SYMBOL])).symbols[SYMBOL];

describe('a cancel', () => {
  test('is recorded, shown on the order, and ready to be sent once', async () => {
    const order = await working();
    const recorded = await record(mutation('cancel', order));
    expect(recorded).toMatchObject({ verdict: 'accepted', order: { pendingCancel: true, state: 'WORKING' } });
    const attemptId = attemptOf(recorded);
    expect(await world.store.sending.takeSend(attemptId)).toMatchObject({ maybeSent: false, request: { kind: 'cancel', bytes: JSON.stringify([order.venueClientId]) } });
  });

  test('of an order that is not yet acknowledged is taken, and goes by client id', async () => {
    const intent = intentFor(account);
    await world.store.placing.recordOrders([intent], OWNER);
    expect(await record(mutation('cancel', intent))).toMatchObject({ verdict: 'accepted', order: { state: 'SUBMITTING', pendingCancel: true } });
  });

  test('that is recorded again by its owner gets the same attempt', async () => {
    const intent = mutation('cancel', await working());
    const first = await record(intent);
    expect(await record(intent)).toEqual(first);
  });

  test('while one is under way names that one; after the order ended there is nothing to do', async () => {
    const order = await working();
    const first = mutation('cancel', order);
    await record(first);
    expect(await record(mutation('cancel', order))).toMatchObject({ verdict: 'nothingToDo', mutationId: first.id });
    await world.store.mutations.settle(first.id, 'applied', [{ orderId: order.id, evidence: seen(viewOf(order, { status: 'canceled', revision: 2 })) }]);
    expect(await world.store.orders.byId(order.id)).toMatchObject({ state: 'CANCELED', pendingCancel: false });
    expect(await world.store.mutations.find(first.id)).toMatchObject({ state: 'applied' });
    expect(await record(mutation('cancel', order))).toMatchObject({ verdict: 'nothingToDo', mutationId: null });
  });

  test('is made again with fresh bytes, and the earlier bytes lose their right', async () => {
    const intent = mutation('cancel', await working());
    const first = await record(intent);
    const attemptId = attemptOf(first);
    await world.store.sending.takeSend(attemptId);
    const again = await world.store.mutations.newAttempt(intent.id, 1_000);
    expect(await world.store.sending.holdsFence(attemptId, 1)).toBe(false);
    expect(await world.store.sending.takeSend(again ?? '')).toMatchObject({ fence: 1, maybeSent: false });
  });

  test('of another user\'s order finds nothing', async () => {
    const order = await working();
    expect(await record(mutation('cancel', order, { userId: randomUUID() }))).toEqual({ verdict: 'denied', code: 'NOT_FOUND', message: expect.any(String), order: null });
  });
});

describe('an amend', () => {
  test('reserves the worse of both terms until it is settled, then what the venue shows', async () => {
    const of = await world.newAccount();
    const order = await working({}, of);
    const intent = mutation('amend', order, { quantity: '15', limitPrice: '1.5' });
    expect(await record(intent)).toMatchObject({ verdict: 'accepted', order: { pendingReplace: true, quantity: '10' } });
    expect(await exposure(of)).toMatchObject({ openBuyQuantity: '15', openBuyNotional: '30' });
    const view = viewOf(order, { quantity: '15', limitPrice: '1.5', revision: 2 });
    await world.store.mutations.settle(intent.id, 'applied', [{ orderId: order.id, evidence: { kind: 'amendSettled', key: `amendSettled/${intent.id}`, order: view, at: isoTime(Date.now()) } }]);
    expect(await world.store.orders.byId(order.id)).toMatchObject({ pendingReplace: false, quantity: '15', limitPrice: '1.5' });
    expect(await exposure(of)).toMatchObject({ openBuyQuantity: '15', openBuyNotional: '22.5' });
  });

  test('moves the trigger of a stop that its venue holds: the bytes say it, the order shows it once the venue does', async () => {
    const stop = await working({ type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: false, condition: { ...UNCONDITIONAL, execution: 'native', triggerPrice: '1.5', triggerPriceType: 'mark' } });
    const intent = mutation('amend', stop, { triggerPrice: '1.6' });
    const recorded = await record(intent);
    expect(recorded).toMatchObject({ verdict: 'accepted', order: { pendingReplace: true, triggerPrice: '1.5' }, mutation: { triggerPrice: '1.6' } });
    const right = await world.store.sending.takeSend(attemptOf(recorded));
    expect(JSON.parse(right?.request?.bytes ?? '{}')).toMatchObject({ triggerPrice: '1.6', terms: { type: 'stopMarket', triggerPrice: '1.5' } });
    const view = viewOf(stop, { triggerPrice: '1.6', revision: 2 });
    await world.store.mutations.settle(intent.id, 'applied', [{ orderId: stop.id, evidence: { kind: 'amendSettled', key: `amendSettled/${intent.id}`, order: view, at: isoTime(Date.now()) } }]);
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ pendingReplace: false, triggerPrice: '1.6', state: 'WORKING' });
    // Raised beyond what its limits allow, it is refused like a new one.
    expect(await record(mutation('amend', stop, { triggerPrice: '100000000' }))).toMatchObject({ verdict: 'denied', code: 'RISK_ORDER_NOTIONAL' });
    expect(await record(mutation('amend', await working(), { triggerPrice: '1.6' }))).toMatchObject({ verdict: 'denied', code: 'UNPROCESSABLE' });
  });

  test('against a stale revision is refused; against the right one it is taken', async () => {
    const order = await working();
    const { revision } = (await world.store.orders.byId(order.id)) ?? { revision: 0 };
    expect(await record(mutation('amend', order, { quantity: '9', expectedRevision: revision - 1 }))).toMatchObject({ verdict: 'denied', code: 'PRECONDITION_FAILED' });
    expect(await record(mutation('amend', order, { quantity: '9', expectedRevision: revision }))).toMatchObject({ verdict: 'accepted' });
  });

  test('that is open names the workflow that pursues it', async () => {
    const order = await working();
    const intent = mutation('amend', order, { quantity: '9' });
    await record(intent);
    expect(await world.store.mutations.pendingOf(order.id)).toMatchObject([{ id: intent.id, ownerWorkflowId: OWNER.ownerWorkflowId }]);
  });

  test('while another is under way is a conflict, and of several at once one is taken', async () => {
    const order = await working();
    const other = await world.openAnother();
    const verdicts = await Promise.all(Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? world.store : other).mutations.record(mutation('amend', order, { quantity: String(5 + index) }), OWNER)));
    expect(verdicts.filter((each) => each.verdict === 'accepted')).toHaveLength(1);
    for (const refused of verdicts.filter((each) => each.verdict !== 'accepted')) expect(refused).toMatchObject({ verdict: 'denied', code: 'CONFLICT' });
  });

  test('that would need more than is there is denied, one that asks for less never is', async () => {
    const of = await world.newAccount({ balance: '2' });
    const order = await working({}, of);
    expect(await record(mutation('amend', order, { quantity: '11' }))).toMatchObject({ verdict: 'denied', code: 'INSUFFICIENT_BALANCE' });
    expect(await exposure(of)).toMatchObject({ openBuyQuantity: '10' });
    await world.store.accounts.setStatus(of.id, 'HALTED', 'test');
    expect(await record(mutation('amend', order, { quantity: '9' }))).toMatchObject({ verdict: 'accepted' });
  });

  test.each([
    ['below what is filled', 'UNPROCESSABLE', { quantity: '0.1' }, { filledQuantity: '4' }],
    ['of an order that ended', 'CONFLICT', { quantity: '9' }, { status: 'canceled' as const }],
  ])('%s is denied', async (_name, code, terms, view) => {
    const order = await working();
    await world.store.evidence.apply([{ orderId: order.id, evidence: seen(viewOf(order, { ...view, revision: 2 })) }]);
    expect(await record(mutation('amend', order, terms))).toMatchObject({ verdict: 'denied', code });
  });

  test('at a venue that has none is denied', async () => {
    const order = await working({}, await world.newAccount({ venue: 'rigid' }));
    expect(await record(mutation('amend', order, { quantity: '9' }))).toMatchObject({ verdict: 'denied', code: 'UNPROCESSABLE' });
  });

  test('is superseded by a cancel: its bytes lose their right, and if the cancel fails the venue\'s view rules', async () => {
    const order = await working();
    const amend = mutation('amend', order, { quantity: '15' });
    const recorded = await record(amend);
    const attemptId = attemptOf(recorded);
    await world.store.sending.takeSend(attemptId);
    const cancel = mutation('cancel', order);
    await record(cancel);
    expect(await world.store.mutations.find(amend.id)).toMatchObject({ state: 'superseded' });
    expect(await world.store.sending.holdsFence(attemptId, 1)).toBe(false);
    await world.store.mutations.settle(cancel.id, 'refused', [{ orderId: order.id, evidence: { kind: 'cancelRefused', key: `cancelRefused/${cancel.id}`, reasonCode: 'OTHER', message: 'no', at: isoTime(Date.now()) } }], 'OTHER');
    expect(await world.store.orders.byId(order.id)).toMatchObject({ pendingCancel: false, pendingReplace: false, state: 'WORKING' });
    expect(await world.store.mutations.pendingOf(order.id)).toEqual([]);
  });
});
