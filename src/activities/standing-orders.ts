/**
 * Orders that wait in workflows, after PostgreSQL was restored from a backup: their workflows know what they are now. A row that is gone
 * comes back with its present terms and its trigger, one that is behind is brought up to them, and what ended since stays ended.
 */
import type { HeldEvidence, HeldTerms } from '../domain/evidence';
import type { Order, OrderIntent } from '../domain/order';
import { isTerminal } from '../domain/order';
import type { AppliedOrder, OrderEvidence, RecordedGroup } from '../domain/order-store';
import type { RememberedHeld, StandingOrder } from '../domain/remembered-orders';
import { orderTriggerId, triggerOf, type Trigger, type TriggerIntent } from '../domain/trigger';

export interface ReadBackOrder {
  readonly denied: ReadonlySet<string>;
  readonly pricesSinceMs?: number;
}

export interface StandingPorts {
  readonly placing: { recordOrders(intents: readonly OrderIntent[], context: { ownerWorkflowId: string; sendTtlMs: number; readBack?: ReadBackOrder }): Promise<RecordedGroup> };
  readonly held: { readBack(amendment: { readonly orderId: string; readonly accountId: string; readonly terms: HeldTerms; readonly revision: number }): Promise<boolean> };
  readonly triggers: { arm(intent: TriggerIntent, sinceMs?: number): Promise<Trigger>; disarm(id: string): Promise<Trigger | null> };
  readonly evidence: { apply(items: readonly OrderEvidence[]): Promise<readonly AppliedOrder[]> };
  orderById(id: string): Promise<Order | null>;
}

const NOBODY: ReadonlySet<string> = new Set();
const WORDS = 'it ended so before the database was restored';

/** True: something was missing or behind. */
export async function standAgain(ports: StandingPorts, { intent, ownerWorkflowId, standing }: { readonly intent: OrderIntent; readonly ownerWorkflowId: string; readonly standing: StandingOrder }): Promise<boolean> {
  const { quantity, limitPrice, condition, revision, triggerId, pricesSinceMs } = standing;
  const asItIs: OrderIntent = { ...intent, quantity, limitPrice, condition };
  const isGone = (await ports.orderById(intent.id)) === null;
  if (isGone) await ports.placing.recordOrders([asItIs], { ownerWorkflowId, sendTtlMs: 0, readBack: { denied: NOBODY, pricesSinceMs } });
  const wasBehind = await ports.held.readBack({ orderId: intent.id, accountId: intent.accountId, terms: termsOf(standing), revision });
  const parameters = triggerOf({ ...asItIs, condition });
  const { userId, accountId, venue, symbol } = intent;
  // One that is there stays as it is.
  if (triggerId !== null && parameters !== null) await ports.triggers.arm({ id: triggerId, userId, accountId, workflowId: ownerWorkflowId, venue, symbol, parameters }, pricesSinceMs);
  return isGone || wasBehind;
}

/** True: its row did not know. What filled comes from its children, which are read back as orders; nothing of it fires again meanwhile. */
export async function endAgain(ports: StandingPorts, { workflowId, intent, ended }: Pick<RememberedHeld, 'workflowId' | 'intent' | 'ended'>, at: string): Promise<boolean> {
  if (ended === null || ended === 'DENIED') return false;
  const before = await ports.orderById(intent.id);
  if (before !== null && isTerminal(before.state)) return false;
  if (before === null) await ports.placing.recordOrders([intent], { ownerWorkflowId: workflowId, sendTtlMs: 0, readBack: { denied: NOBODY } });
  const wasFired = before !== null && before.state !== 'ARMED';
  if (ended === 'FILLED' && wasFired) return false;
  const evidence: HeldEvidence =
    ended === 'FILLED'
      ? { kind: 'triggered', key: 'triggered', trigger: { by: 'trigger', level: null, message: WORDS }, at }
      : { kind: 'ended', key: 'ended', state: ended === 'CANCELED' || ended === 'EXPIRED' ? ended : 'REJECTED', reasonCode: null, message: WORDS, at };
  await ports.evidence.apply([{ orderId: intent.id, evidence }]);
  await ports.triggers.disarm(orderTriggerId(intent.id, 0));
  return true;
}

function termsOf({ quantity, limitPrice, condition: { triggerPrice, trailingOffset, activationPrice } }: StandingOrder): HeldTerms {
  const given = { limitPrice, triggerPrice, trailingOffset, activationPrice };
  return { quantity, ...Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value]]))) };
}
