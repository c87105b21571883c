/** Time-outs and retries of activities, each with its reason. Plain constants: workflows import them. */

/**
 * The order path's local activities. 2 s: the venue has 1.5 s of it, counted from the activity's start, and the rest is
 * for two transactions; together below 80 % of the 3 s workflow task timeout. Retried for ever, because a recorded
 * intent is never dropped; attempts carry fences, so a repeat cannot send twice.
 */
export const LOCAL_ACTIVITY = {
  startToCloseTimeout: '2s',
  retry: { initialInterval: '50ms', maximumInterval: '1s', backoffCoefficient: 2 },
} as const;

/** The venue's share of the local activity's time, ms. */
export const VENUE_SHARE_MS = 1_500;

/** Outcome queries and repeated sends: regular activities, so that they outlive a worker. */
export const RESOLVING_ACTIVITY = {
  startToCloseTimeout: '10s',
  retry: { initialInterval: '250ms', maximumInterval: '5s', backoffCoefficient: 2 },
} as const;

/**
 * Looks at chains, bridges and signers, each of which may be slow: a look that takes long tells each second that it goes on, and one whose
 * worker died is begun anew 5 s after its last word, not when its time would be over.
 */
export const LOOKING_ACTIVITY = {
  startToCloseTimeout: '60s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '250ms', maximumInterval: '5s', backoffCoefficient: 2 },
} as const;

/**
 * Activities that hold sockets: replaced 3 s after their last heartbeat, tried again at once, and never waited for when
 * their workflow is canceled.
 */
export const WATCHING_ACTIVITY = {
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '250ms', maximumInterval: '1s', backoffCoefficient: 2 },
  cancellationType: 'TRY_CANCEL',
} as const;

/** A sweep may describe hundreds of workflows, pruning delete thousands of rows; one whose worker died is begun anew 10 s after its last heartbeat. */
export const SWEEPING_ACTIVITY = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s', backoffCoefficient: 2 },
} as const;

/**
 * Comparing the stores takes milliseconds; reading back what a backup lacks may be a day's orders. Replaced 3 s after its last
 * heartbeat, also where a restored Temporal believes that a worker of long ago is at it.
 */
export const COMPARING_ACTIVITY = {
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '100ms', maximumInterval: '1s', backoffCoefficient: 2 },
} as const;

/** One round of deliveries ends within 20 s and what its attempts take (15 s); its holder is replaced 5 s after its last heartbeat. */
export const DELIVERING_ACTIVITY = {
  startToCloseTimeout: '60s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '250ms', maximumInterval: '10s', backoffCoefficient: 2 },
} as const;

/** One round of judging reads a few pages of events; the next one goes on from where the last committed. */
export const JUDGING_ACTIVITY = {
  startToCloseTimeout: '60s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '250ms', maximumInterval: '10s', backoffCoefficient: 2 },
} as const;
