/** How orders are changed, in memory: by the venue, and by the workflows of armed ones. */
import type { MutationVerdict, OrderGatewayPort } from '../../src/api/order-ports';
import { isTerminal } from '../../src/domain/order';
import type { MutationIntent } from '../../src/domain/order-store';
import type { FakeBackend } from './fake-backend';

export function heldOrders(backend: FakeBackend): Pick<OrderGatewayPort, 'amendHeld' | 'cancelHeld'> {
  return {
    amendHeld: async ({ id }, revision, terms) => {
      const order = backend.orders.get(id);
      if (order?.state !== 'ARMED') return { verdict: 'denied', code: 'CONFLICT', message: `the order is ${order?.state ?? 'gone'}` };
      if (order.revision !== revision) return { verdict: 'denied', code: 'PRECONDITION_FAILED', message: `the order is at revision ${order.revision}, not ${revision}` };
      backend.change(id, terms, 'order.amended');
      return { verdict: 'applied', code: null, message: null };
    },
    cancelHeld: async ({ id }) => {
      backend.change(id, { pendingCancel: true }, 'order.cancelRequested');
      backend.change(id, { state: 'CANCELED', pendingCancel: false, leavesQuantity: '0' }, 'order.canceled');
      return { verdict: 'pending', code: null, message: null };
    },
  };
}

export function cancelAtVenue(backend: FakeBackend, intent: MutationIntent): MutationVerdict {
  const order = backend.orders.get(intent.orderId);
  if (order === undefined || isTerminal(order.state)) return { verdict: 'nothingToDo', code: null, message: null };
  backend.change(order.id, { pendingCancel: true }, 'order.cancelRequested');
  backend.change(order.id, { state: 'CANCELED', pendingCancel: false, leavesQuantity: '0', canceledAt: backend.at(), closedAt: backend.at() }, 'order.canceled');
  return { verdict: 'applied', code: null, message: null };
}

export function amendAtVenue(backend: FakeBackend, intent: MutationIntent): MutationVerdict {
  const order = backend.orders.get(intent.orderId);
  if (order === undefined) return { verdict: 'denied', code: 'NOT_FOUND', message: 'no such order' };
  backend.change(order.id, { pendingReplace: true }, 'order.amendRequested');
  backend.change(order.id, { pendingReplace: false, limitPrice: intent.limitPrice ?? order.limitPrice, quantity: intent.quantity ?? order.quantity }, 'order.amended');
  return { verdict: 'applied', code: null, message: null };
}
