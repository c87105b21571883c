/** Task queues by latency class: what waits on one never delays another. */
export const TASK_QUEUES = {
  /** Placing, amending, cancelling, resolving. */
  orders: 'orders',
  /** Heartbeating activities that hold sockets; served by watchers. */
  accounts: 'accounts',
  /** Sweeping and everything that may wait. */
  background: 'background',
  /** Delivering webhooks: receivers that hang hold back none of the above. */
  webhooks: 'webhooks',
} as const;

/** Fail-over time of a workflow whose worker died: the server hands its task on after this. */
export const WORKFLOW_TASK_TIMEOUT_MS = 3_000;
