/** Intents that go to the venue as one group are recorded as one: what keeps one of them from being sent keeps all of them. */
import type { OrderIntent } from '../../domain/order';
import type { Admission } from '../../domain/store-state';

export interface PlacedIntent {
  readonly intent: OrderIntent;
  readonly index: number;
}

/** Why an order is denied that nothing is wrong with. */
export const TORN = 'another order of its group cannot be placed, so none of them was';

/** The intents in their order, those of one group together: they were handed over together, so they stand side by side. */
export function unitsOf(intents: readonly OrderIntent[]): PlacedIntent[][] {
  const units: PlacedIntent[][] = [];
  intents.forEach((intent, index) => {
    const last = units.at(-1);
    const group = intent.group?.groupId;
    if (group !== undefined && last?.[0]?.intent.group?.groupId === group) last.push({ intent, index });
    else units.push([{ intent, index }]);
  });
  return units;
}

const STRICTNESS: readonly Admission[] = ['hold', 'ask', 'send'];

/** What may be done with all of them. */
export function strictest(admissions: readonly Admission[]): Admission {
  return STRICTNESS.find((admission) => admissions.includes(admission)) ?? 'hold';
}
