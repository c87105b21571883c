/** The name under which a process asks Temporal for tasks: what Temporal lists of who asked, and what the Web UI shows of who answered. */

/** Of this life of the process. Whoever bears such a name holds a lease of that name while it lives (main/worker-presence.ts). */
export function workerIdentity(host: string, pid: number, lifeId: string): string {
  return `${pid}@${host}/life-${lifeId}`;
}

/** Whether its bearer holds a lease: a worker of an earlier version has a name without a life, and none. */
export function holdsLease(identity: string): boolean {
  return /\/life-[^/]+$/.test(identity);
}
