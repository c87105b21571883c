import type { ProcessIdentity } from './process-identity';

/** One order to the watchdog: see scripts/watchdog.js. */
export type WatchdogOrder =
  | { readonly add: ProcessIdentity }
  | { readonly remove: number }
  | { readonly folder: string }
  | { readonly home: string };

/** Tells this process's watchdog what to end, or to delete, when this process is gone. Starts it on first use. */
export function tell(order: WatchdogOrder): void;
