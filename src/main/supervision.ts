/** Wires what workflows that place orders stand on: what they read, and who tells them that an order of theirs changed. */
import { createSupervisionActivities, type SupervisionActivities } from '../activities/supervision-activities';
import { SupervisorSignals } from '../temporal/supervisor-signals';
import type { Platform } from './platform';

export function supervisionActivities({ store, prices, clock }: Platform): SupervisionActivities {
  return createSupervisionActivities({
    clock,
    ordersByIds: (ids) => store.orders.byIds(ids),
    market: (venue, symbol) => store.markets.get(venue, symbol),
    account: (accountId) => store.accounts.byId(accountId),
    position: async (accountId, symbol) => (await store.accounts.figures(accountId, [symbol])).symbols[symbol]?.positionQuantity ?? '0',
    markOf: (venue, symbol) => prices.markOf(venue, symbol),
    quoteOf: (venue, symbol) => prices.quoteOf(venue, symbol),
  });
}

/** From now on what this process commits of supervised orders is told to their workflows. */
export function tellSupervisors({ store, temporal, logger }: Platform): void {
  const signals = new SupervisorSignals(temporal.client, (error, workflowId) => logger.warn({ err: error, workflowId }, 'a supervisor could not be told; it looks by itself'));
  store.events.onCommitted(signals.onCommitted);
}
