/**
 * Orders that wait in workflows, after PostgreSQL was restored from a backup: their workflows know what they are now. A row that is gone
 * comes back with its present terms and its trigger, one that is behind is brought up to them, and what ended since stays ended.
 */
import { isoTime, type Clock } from '../domain/clock';
import type { HeldEvidence, HeldTerms } from '../domain/evidence';
import type { Order, OrderIntent } from '../domain/order';
import { isTerminal } from '../domain/order';
import type { AppliedOrder, OrderEvidence, RecordedGroup } from '../domain/order-store';
import type { RememberedHeld, StandingOrder } from '../domain/remembered-orders';
import { orderTriggerId, triggerOf, type Trigger, type TriggerIntent, type TriggerParameters } from '../domain/trigger';
import type { ReadBack } from '../store/orders/placing';
import type { HeldReadBack } from '../store/waiting/held-orders';

export interface StandingPorts {
  readonly clock: Clock;
  readonly placing: { recordOrders(intents: readonly OrderIntent[], context: { ownerWorkflowId: string; sendTtlMs: number; readBack?: ReadBack }): Promise<RecordedGroup> };
  readonly held: { readBack(known: HeldReadBack): Promise<boolean> };
  readonly triggers: { arm(intent: TriggerIntent, sinceMs?: number): Promise<Trigger>; amend(id: string, revision: number, parameters: TriggerParameters, sinceMs: number): Promise<Trigger | null>; disarm(id: string): Promise<Trigger | null> };
  readonly evidence: { apply(items: readonly OrderEvidence[]): Promise<readonly AppliedOrder[]> };
  orderById(id: string): Promise<Order | null>;
}

const NOBODY: ReadonlySet<string> = new Set();
const WORDS = 'it ended so before the database was restored';

/** True: something was missing or behind. */
export async function standAgain(ports: StandingPorts, { intent, ownerWorkflowId, standing }: { readonly intent: OrderIntent; readonly ownerWorkflowId: string; readonly standing: StandingOrder }): Promise<boolean> {
  const { quantity, limitPrice, condition, revision, pricesSinceMs, triggerRevision = null } = standing;
  const asItIs: OrderIntent = { ...intent, quantity, limitPrice, condition };
  const isGone = (await ports.orderById(intent.id)) === null;
  if (isGone) await ports.placing.recordOrders([asItIs], { ownerWorkflowId, sendTtlMs: 0, readBack: { denied: NOBODY, pricesSinceMs } });
  const wasBehind = await ports.held.readBack({ orderId: intent.id, accountId: intent.accountId, terms: termsOf(standing), revision, triggerRevision, pricesSinceMs });
  await standTriggersAgain(ports, { intent, ownerWorkflowId, standing });
  const wasTriggered = await goOffAgain(ports, intent, standing);
  return isGone || wasBehind || wasTriggered;
}

/** Of one whose workflow does not answer: its row is as it was accepted. A price that reaches it by then wakes the workflow, which knows better. True: it was gone. */
export async function standAsAccepted(ports: StandingPorts, { intent, ownerWorkflowId, acceptedAtMs }: { readonly intent: OrderIntent; readonly ownerWorkflowId: string; readonly acceptedAtMs: number }): Promise<boolean> {
  if ((await ports.orderById(intent.id)) !== null) return false;
  await ports.placing.recordOrders([intent], { ownerWorkflowId, sendTtlMs: 0, readBack: { denied: NOBODY, pricesSinceMs: acceptedAtMs } });
  return true;
}

/** The one that it waits for, as often amended as its workflow counts; those before it are used up, whatever the backup says. */
async function standTriggersAgain({ triggers }: StandingPorts, { intent, ownerWorkflowId, standing }: Parameters<typeof standAgain>[1]): Promise<void> {
  const { condition, triggerId, pricesSinceMs, triggerNumber = 0, triggerRevision = 1 } = standing;
  for (let n = 0; n < triggerNumber; n += 1) await triggers.disarm(orderTriggerId(intent.id, n));
  const parameters = triggerOf({ ...intent, condition });
  if (triggerId === null || parameters === null) return;
  const { userId, accountId, venue, symbol } = intent;
  // One that is there stays as it is, but for the terms and the revision that its workflow waits for.
  const armed = await triggers.arm({ id: triggerId, userId, accountId, workflowId: ownerWorkflowId, venue, symbol, parameters }, pricesSinceMs);
  if (armed.status === 'ARMED' && armed.revision < triggerRevision) await triggers.amend(triggerId, triggerRevision, parameters, pricesSinceMs);
}

/** What has gone off since the backup goes off no more; what it placed comes back by itself. True: its row did not know. */
async function goOffAgain(ports: StandingPorts, intent: OrderIntent, { triggered = null, triggerNumber = 0 }: StandingOrder): Promise<boolean> {
  if (triggered === null || (await ports.orderById(intent.id))?.state !== 'ARMED') return false;
  const { by, level, evidence } = triggered;
  await ports.evidence.apply([{ orderId: intent.id, evidence: { kind: 'triggered', key: 'triggered', trigger: { by, level, ...evidence }, at: isoTime(ports.clock.nowMs()) } }]);
  await ports.triggers.disarm(orderTriggerId(intent.id, triggerNumber));
  return true;
}

/** True: its row did not know. What filled comes from its children, which are read back as orders; nothing of it fires again meanwhile. */
export async function endAgain(ports: StandingPorts, { workflowId, intent, ended }: Pick<RememberedHeld, 'workflowId' | 'intent' | 'ended'>): Promise<boolean> {
  if (ended === null || ended === 'DENIED') return false;
  const before = await ports.orderById(intent.id);
  if (before !== null && isTerminal(before.state)) return false;
  if (before === null) await ports.placing.recordOrders([intent], { ownerWorkflowId: workflowId, sendTtlMs: 0, readBack: { denied: NOBODY } });
  const at = isoTime(ports.clock.nowMs());
  const wasFired = before !== null && before.state !== 'ARMED';
  if (ended === 'FILLED' && wasFired) return false;
  const evidence: HeldEvidence =
    ended === 'FILLED'
      ? { kind: 'triggered', key: 'triggered', trigger: { by: 'trigger', level: null, message: WORDS }, at }
      : { kind: 'ended', key: 'ended', state: ended === 'CANCELED' || ended === 'EXPIRED' ? ended : 'REJECTED', reasonCode: null, message: WORDS, at };
  await ports.evidence.apply([{ orderId: intent.id, evidence }]);
  for (let n = 0; (await ports.triggers.disarm(orderTriggerId(intent.id, n))) !== null; n += 1);
  return true;
}

function termsOf({ quantity, limitPrice, condition: { triggerPrice, trailingOffset, activationPrice } }: StandingOrder): HeldTerms {
  const given = { limitPrice, triggerPrice, trailingOffset, activationPrice };
  return { quantity, ...Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value]]))) };
}
