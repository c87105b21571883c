/** Heartbeats of activities that take longer than their worker may be dead. */
import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 1_000;

/** Says each second that it goes on: one whose worker is dead, or that Temporal's store has forgotten, is begun anew within seconds. */
export async function beating<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
