/** A process, told apart from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** From `startTimeOf`; compared as it is, never read. */
  readonly startTime: string;
}
/** When the process started, as text that is equal only for the same process of the same boot; undefined if none runs. */
export function startTimeOf(pid: number): string | undefined;
/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean;
/** Sends a signal to exactly this process and the group it leads; false if it has ended. Terminates on Windows. */
export function signalExactly(identity: ProcessIdentity, signal: NodeJS.Signals): boolean;
