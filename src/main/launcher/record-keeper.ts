import { isRunning } from '../../../scripts/process-identity';
import type { ManagedProcess } from './managed-process';
import type { ServerPlan, ServerWatch } from './managed-server';
import type { ProcessRecords } from './process-records';

/** Writes the run record of every process of a plan, from its first moment to its end. */
export function recordedIn(records: ProcessRecords, plan: ServerPlan, uiPort?: number): ServerWatch {
  return {
    started: (process: ManagedProcess) => {
      const before = records.read(plan.name);
      // A renewed process works beside its predecessor for a while; both must be known.
      if (before && before.pid !== process.pid && isRunning(before)) records.write({ ...before, name: retiringName(plan.name, before.pid) });
      records.write({
        ...process.identity,
        name: plan.name,
        fingerprint: plan.fingerprint,
        ...(plan.port === 0 ? {} : { port: plan.port }),
        ...(uiPort === undefined ? {} : { uiPort }),
      });
    },
    ended: (process: ManagedProcess) => {
      records.remove(plan.name, process.pid);
      records.remove(retiringName(plan.name, process.pid), process.pid);
    },
  };
}

function retiringName(name: string, pid: number): string {
  return `${name}-retiring-${pid}`;
}
