/**
 * Orders that carry no client id at their venue: one whose answer was lost is known by its terms. Which of equal orders is
 * whose makes no difference, but no order of the venue may become two of ours: the account's lock decides.
 */
import { isoTime } from '../../domain/clock';
import { venueViewKey } from '../../domain/evidence';
import { UNSETTLED_STATES } from '../../domain/order';
import type { AppliedOrder } from '../../domain/order-store';
import type { VenueOrder } from '../../domain/venue';
import { applyUnderLocks } from './apply-evidence';
import { change, type StoreCore } from '../core';
import { lockAccounts, lockOrders } from '../database/locks';

/** Of equal terms, and with an answer still to come: it will name its own. */
const IN_FLIGHT_SQL = `SELECT 1 AS found FROM orders o WHERE o.account_id = $1 AND o.id <> $2 AND o.venue_symbol = $3 AND o.side = $4::text AND o.quantity = $5::numeric
  AND o.venue_order_id IS NULL AND o.state IN ('PENDING_RISK', 'SUBMITTING') LIMIT 1`;

export class NamelessOrders {
  constructor(private readonly core: StoreCore) {}

  /** Takes the first of `candidates` that no order of ours has. 'wait': an equal order's answer is still out. null: none is free, or the order has its name. */
  async claim(orderId: string, candidates: readonly VenueOrder[]): Promise<AppliedOrder | 'wait' | null> {
    const [place] = await this.core.database.rows<{ accountId: string }>('SELECT account_id AS "accountId" FROM orders WHERE id = $1', orderId);
    if (place === undefined) return null;
    const { accountId } = place;
    return change(this.core, [accountId], async (tx, changes) => {
      const accounts = await lockAccounts(tx, [accountId]);
      const order = (await lockOrders(tx, [orderId])).get(orderId)?.order;
      if (order === undefined || order.venueOrderId !== null || !UNSETTLED_STATES.has(order.state)) return null;
      const inFlight = await tx.rows(IN_FLIGHT_SQL, accountId, orderId, order.venueSymbol, order.side, order.quantity);
      const rows = await tx.rows<{ venueOrderId: string }>('SELECT venue_order_id AS "venueOrderId" FROM orders WHERE account_id = $1 AND venue_order_id = ANY($2::text[])', accountId, candidates.map(({ venueOrderId }) => venueOrderId));
      const taken = new Set(rows.map(({ venueOrderId }) => venueOrderId));
      const free = candidates.find(({ venueOrderId }) => !taken.has(venueOrderId));
      if (free === undefined) return null;
      if (inFlight.length > 0) return 'wait';
      const at = isoTime(this.core.clock.nowMs());
      const [applied] = await applyUnderLocks(tx, accounts, [{ orderId, evidence: { kind: 'venueView', key: venueViewKey(free), order: free, source: 'query', at } }], changes, this.core.markOf);
      return applied ?? null;
    });
  }
}
