/** The activities of conditional orders, put together from what main gives. */
import { conditionOf, isHeld } from '../domain/condition';
import type { PartlyFolded } from '../domain/folded-orders';
import type { Order, OrderIntent } from '../domain/order';
import type { RecordedGroup } from '../domain/order-store';
import { supervisedView } from '../domain/supervised-order';
import { orderTriggerId, type Trigger } from '../domain/trigger';
import type { VenueCapabilities } from '../domain/venue';
import type { ReadBack } from '../store/orders/placing';
import type { HeldAmendment, HeldAmendmentAnswer } from '../store/waiting/held-orders';
import { standAgain, type StandingPorts } from './standing-orders';
import type { ConditionalActivities, ConditionalReference, HeldOrderView } from './conditional-activities';

export interface ConditionalPorts extends StandingPorts {
  readonly placing: { recordOrders(intents: readonly OrderIntent[], context: { ownerWorkflowId: string; sendTtlMs: number; intendedAtMs?: number; readBack?: ReadBack }): Promise<RecordedGroup> };
  readonly held: StandingPorts['held'] & {
    amend(amendment: HeldAmendment): Promise<HeldAmendmentAnswer>;
    childrenOf(orderId: string): Promise<PartlyFolded<Order>>;
  };
  readonly triggers: StandingPorts['triggers'] & { byIds(ids: readonly string[]): Promise<readonly Trigger[]> };
  capabilities(venue: string): VenueCapabilities | null;
  alert(accountId: string, data: Readonly<Record<string, unknown>>): Promise<void>;
}

export function createConditionalActivities(ports: ConditionalPorts): ConditionalActivities {
  const record = ({ intent, ownerWorkflowId }: ConditionalReference, intendedAtMs?: number): Promise<RecordedGroup> =>
    ports.placing.recordOrders([intent], { ownerWorkflowId, sendTtlMs: 0, ...(intendedAtMs === undefined ? {} : { intendedAtMs }) });
  return {
    recordConditional: async (input) => {
      const { items } = await record(input, input.intendedAtMs);
      const verdict = items[0]?.verdict ?? 'denied';
      const held = verdict === 'accepted' ? await viewOf(ports, input.intent.id) : null;
      return { verdict, held, nativeExpiresAfterMs: ports.capabilities(input.intent.venue)?.nativeStopsExpireAfterMs ?? null };
    },
    noteConditional: async ({ evidence, standing = null, ...reference }) => {
      // A restored database may have lost the row; the workflow brings it back, as it was amended.
      if ((await ports.orderById(reference.intent.id)) === null) await (standing === null ? record(reference) : standAgain(ports, { ...reference, standing }));
      const [applied] = await ports.evidence.apply(evidence.map((piece) => ({ orderId: reference.intent.id, evidence: piece })));
      if (applied === undefined) throw new Error(`order ${reference.intent.id} has no row`);
      return { state: applied.order.state, revision: applied.order.revision };
    },
    amendConditional: async ({ intent, ownerWorkflowId, standing, expectedRevision, terms }) => {
      if (standing !== null) {
        const row = await ports.orderById(intent.id);
        if (row === null || row.revision < standing.revision) await standAgain(ports, { intent, ownerWorkflowId, standing });
      }
      const answer = await ports.held.amend({ orderId: intent.id, userId: intent.userId, accountId: intent.accountId, expectedRevision, terms });
      return answer.verdict === 'applied' ? { verdict: 'applied', code: null, message: null } : answer;
    },
    raiseOrderAlert: ({ accountId, data }) => ports.alert(accountId, data),
  };
}

async function viewOf(ports: ConditionalPorts, orderId: string): Promise<HeldOrderView> {
  const order = await ports.orderById(orderId);
  const condition = order === null || !isHeld(order) ? null : conditionOf(order);
  if (order === null || condition === null) throw new Error(`order ${orderId} is not one that waits in a workflow`);
  const { state, quantity, limitPrice, pendingCancel, revision, triggeredAt, createdAt } = order;
  const [{ orders, folded }, [trigger]] = await Promise.all([ports.held.childrenOf(orderId), ports.triggers.byIds([orderTriggerId(orderId, 0)])]);
  const armedRevision = trigger?.status === 'ARMED' ? trigger.revision : null;
  return { state, quantity, limitPrice, condition, pendingCancel, revision, armedRevision, acceptedAtMs: Date.parse(createdAt), triggeredAtMs: triggeredAt === null ? null : Date.parse(triggeredAt), children: orders.map(supervisedView), folded };
}
