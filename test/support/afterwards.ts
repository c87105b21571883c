/** What must hold after every scenario: no order in doubt, nothing lost, nothing twice, venue and books agree. */
import { expect } from '@jest/globals';
import { AuditHeads } from '../../src/main/audit-heads';
import { createLogger } from '../../src/main/logger';
import { checkAudit } from '../../src/store/audit/audit';
import { Database } from '../../src/store/database/database';
import type { Stack } from './stack';

const OPEN_QUESTIONS = ['PENDING_RISK', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN'];

/** No order UNKNOWN 60 s after the last fault is lifted. */
const SETTLED_WITHIN_MS = 60_000;

/** Waits until no order is in doubt, then compares every order and fill of the account with the venue's own list. */
export async function settledAndBalanced(stack: Stack): Promise<void> {
  await stack.client.until(
    'no order in doubt',
    async () => {
      const open = await stack.client.orders(`status=open&accountId=${stack.accountId}`);
      return open.some((order) => OPEN_QUESTIONS.includes(order.state) || order.pendingCancel || order.pendingReplace) ? null : true;
    },
    SETTLED_WITHIN_MS,
  );
  await booksAgree(stack);
  await auditComplete(stack);
}

/** Every administrative act is there, in its chain, as its head was written down beside the database. */
export async function auditComplete(stack: Stack): Promise<void> {
  const { heads, unreadable } = new AuditHeads(stack.home, createLogger('silent', 'test')).read();
  const failures: string[] = [];
  const database = new Database({ databaseUrl: stack.postgres.url, poolSize: 1, statementTimeoutMs: 10_000, lockTimeoutMs: 500, onError: (message) => failures.push(message), onAuditHead: () => undefined });
  try {
    const { rows, faults } = await checkAudit(database, heads);
    expect({ faults, unreadable, failures }).toEqual({ faults: [], unreadable: [], failures: [] });
    // At least the owner, a key and two accounts.
    expect(rows).toBeGreaterThanOrEqual(4);
  } finally {
    await database.close();
  }
}

/** Intents that reached the venue, 1 to 1; filled quantities equal; states agree. `others`: accounts at the venue that are not ours. */
export async function booksAgree(stack: Stack, others: readonly string[] = []): Promise<void> {
  const theirOrders = async () => (await stack.sim.orders()).filter(({ account }) => !others.includes(account));
  await stack.client.until('our orders to equal the venue\'s', async () => {
    const [ours, theirs] = [await ordersByVenueId(stack), await theirOrders()];
    const agree = theirs.every((order) => {
      const mine = ours.get(order.orderId);
      const state = mine === undefined ? null : mine.state;
      const expected = order.status === 'open' ? ['WORKING', 'PARTIALLY_FILLED'] : order.status === 'filled' ? ['FILLED'] : ['CANCELED', 'EXPIRED'];
      return mine !== undefined && state !== null && expected.includes(state) && mine.filledQuantity === order.filledQuantity;
    });
    return agree && ours.size === theirs.length ? true : null;
  });
  const theirs = await theirOrders();
  const clientIds = theirs.map((order) => order.clientId);
  expect(new Set(clientIds).size).toBe(clientIds.length);
}

async function ordersByVenueId(stack: Stack): Promise<Map<string, { state: string; filledQuantity: string }>> {
  const orders = await stack.client.orders(`status=all&accountId=${stack.accountId}`);
  return new Map(orders.flatMap((order) => (order.venueOrderId === null ? [] : [[order.venueOrderId, order]])));
}
