/** Orders that rest at a venue, and what is asked of them. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../../src/domain/clock';
import type { OrderIntent } from '../../../src/domain/order';
import type { MutationIntent } from '../../../src/domain/order-store';
import { OWNER, seen, viewOf, type StoreWorld } from './harness';

export async function workingOrder(world: StoreWorld, intent: OrderIntent): Promise<OrderIntent> {
  await world.store.placing.recordOrders([intent], OWNER);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  return intent;
}

/** To be sent within a minute. */
export function mutationOf(world: StoreWorld, kind: 'amend' | 'cancel', of: OrderIntent, changes: Partial<MutationIntent> = {}): MutationIntent {
  return { id: randomUUID(), kind, userId: of.userId, accountId: of.accountId, venue: of.venue, orderId: of.id, expectedRevision: null, limitPrice: null, quantity: null, sendBefore: isoTime(world.clock.nowMs() + 60_000), ...changes };
}
