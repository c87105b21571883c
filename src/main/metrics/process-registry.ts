/** The figures of one process: its own (CPU, memory, event loop) and what its role adds. */
import { collectDefaultMetrics, Registry } from 'prom-client';

export function processRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'surefill_' });
  return registry;
}
