/** How workflows arm, change and give up triggers: local activities, each idempotent. Types only for workflows. */
import { ApplicationFailure } from '@temporalio/common';
import { triggerProblem, type Trigger, type TriggerIntent, type TriggerParameters } from '../domain/trigger';

export interface TriggerActivities {
  /**
   * Answers the row as it is: one that was armed before may have fired already. `sinceMs`: from when on prices count for it; absent: from
   * now. `revision`: of the terms, so that who amends it meanwhile counts on from there; absent: the first. Refuses parameters that cannot
   * fire (VALIDATION, final).
   */
  armTrigger(input: { readonly trigger: TriggerIntent; readonly sinceMs?: number; readonly revision?: number }): Promise<Trigger>;
  /** `revision`: what it becomes; a repeat changes nothing. Answers the row: where it is not ARMED the amendment came too late. null: there is none. */
  amendTrigger(input: { readonly triggerId: string; readonly revision: number; readonly parameters: TriggerParameters }): Promise<Trigger | null>;
  /** Answers the row: FIRED where it fired first. null: there is none. */
  disarmTrigger(input: { readonly triggerId: string }): Promise<Trigger | null>;
  /** After `triggerCrossed`: it is signalled no more. Answers what is stored, evidence included: act on that. */
  acknowledgeTrigger(input: { readonly triggerId: string }): Promise<Trigger | null>;
  /** In no order; unknown ones are absent. For a look by a durable timer. */
  readTriggers(input: { readonly triggerIds: readonly string[] }): Promise<readonly Trigger[]>;
}

export interface TriggerPorts {
  readonly triggers: {
    arm(intent: TriggerIntent, sinceMs?: number, revision?: number): Promise<Trigger>;
    amend(id: string, revision: number, parameters: TriggerParameters): Promise<Trigger | null>;
    disarm(id: string): Promise<Trigger | null>;
    acknowledge(id: string): Promise<Trigger | null>;
    byIds(ids: readonly string[]): Promise<readonly Trigger[]>;
  };
}

export function createTriggerActivities({ triggers }: TriggerPorts): TriggerActivities {
  return {
    armTrigger: async ({ trigger, sinceMs, revision }) => {
      refuseWrong(trigger.parameters);
      return triggers.arm(trigger, sinceMs, revision);
    },
    amendTrigger: async ({ triggerId, revision, parameters }) => {
      refuseWrong(parameters);
      return triggers.amend(triggerId, revision, parameters);
    },
    disarmTrigger: ({ triggerId }) => triggers.disarm(triggerId),
    acknowledgeTrigger: ({ triggerId }) => triggers.acknowledge(triggerId),
    readTriggers: ({ triggerIds }) => triggers.byIds(triggerIds),
  };
}

function refuseWrong(parameters: TriggerParameters): void {
  const problem = triggerProblem(parameters);
  if (problem !== null) throw ApplicationFailure.create({ type: 'VALIDATION', message: problem, nonRetryable: true });
}
