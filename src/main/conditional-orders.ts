/** Wires what the workflows of conditional orders stand on. */
import type { ConditionalActivities } from '../activities/conditional-activities';
import { createConditionalActivities } from '../activities/conditional-orders';
import type { Platform } from './platform';

export function conditionalActivities({ store, venues, clock }: Platform): ConditionalActivities {
  return createConditionalActivities({
    clock,
    placing: store.placing,
    evidence: store.evidence,
    held: store.held,
    triggers: store.triggers,
    orderById: (id) => store.orders.byId(id),
    capabilities: (venue) => venues.get(venue)?.capabilities ?? null,
    alert: (accountId, data) => store.accounts.alert(accountId, data),
  });
}
