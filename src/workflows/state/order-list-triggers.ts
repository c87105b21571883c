/** Which triggers of a list are to be armed, changed, given up and acknowledged. */
import { ZERO, type Decimal } from '../../domain/decimal';
import { breakEvenTrigger, breakEvenTriggerId, legHasEnded, legTrigger, legTriggerId, type OrderList, type OrderListLeg } from '../../domain/order-list';
import type { Trigger, TriggerIntent, TriggerParameters } from '../../domain/trigger';

/** A trigger without the workflow that is told. */
export type ListTrigger = Omit<TriggerIntent, 'workflowId'>;

export interface TriggerStep {
  readonly arm: readonly ListTrigger[];
  readonly amend: readonly { readonly triggerId: string; readonly revision: number; readonly parameters: TriggerParameters }[];
  readonly disarm: readonly string[];
  readonly acknowledge: readonly string[];
}

export function triggerStep(list: OrderList, triggers: readonly Trigger[], shares: readonly Decimal[]): TriggerStep {
  const step = { arm: [] as ListTrigger[], amend: [] as TriggerStep['amend'][number][], disarm: [] as string[], acknowledge: [] as string[] };
  const wanted = new Set<string>();
  for (const leg of list.legs) {
    // What waits goes on waiting while another leg is pursued: it may be needed again.
    const waits = list.state === 'ACTIVE' && !list.pendingCancel && !legHasEnded(leg) && leg.state !== 'FILLED' && leg.triggered === null && !(list.entriesStopped && !leg.reduceOnly);
    if (!waits) continue;
    const isNeeded = (shares[leg.n] ?? ZERO).greaterThan(ZERO);
    for (const [id, parameters, revision] of triggersOf(list, leg)) {
      wanted.add(id);
      const row = triggers.find((trigger) => trigger.id === id);
      if (row === undefined) {
        if (isNeeded) step.arm.push({ id, userId: list.userId, accountId: leg.accountId, venue: leg.venue, symbol: leg.symbol, parameters });
      } else if (row.status === 'ARMED' && row.revision < revision) step.amend.push({ triggerId: id, revision, parameters });
    }
  }
  for (const { id, status, acknowledged } of triggers) {
    if (status === 'ARMED' && !wanted.has(id)) step.disarm.push(id);
    if (status === 'FIRED' && !acknowledged) step.acknowledge.push(id);
  }
  return step;
}

function triggersOf(list: OrderList, leg: OrderListLeg): readonly (readonly [id: string, parameters: TriggerParameters, revision: number])[] {
  const own = legTrigger(leg);
  const moved = breakEvenTrigger(leg);
  return [...(own === null ? [] : [[legTriggerId(list.id, leg), own, leg.version + 1] as const]), ...(moved === null ? [] : [[breakEvenTriggerId(list.id, leg), moved, 1] as const])];
}
