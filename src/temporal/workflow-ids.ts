/** Workflow ids: operators search by them, and Temporal's uniqueness of an id is one of the guards against doing a thing twice. */

export function orderWorkflowId(accountId: string, clientOrderId: string): string {
  return `order/${accountId}/${clientOrderId}`;
}

/** An order that waits for a price or a time. */
export function conditionalWorkflowId(accountId: string, clientOrderId: string): string {
  return `conditional/${accountId}/${clientOrderId}`;
}

/** A group of orders that arrived together on one lane. */
export function orderGroupWorkflowId(lane: string, batchId: string): string {
  return `orders/${lane}/${batchId}`;
}

/** `termsName`: of callers, who may ask for different terms of one revision; a supervisor asks once of each. */
export function amendmentWorkflowId(orderId: string, revision: number, termsName?: string): string {
  return `amend/${orderId}/${revision}${termsName === undefined ? '' : `/${termsName}`}`;
}

export function cancellationWorkflowId(orderId: string): string {
  return `cancel/${orderId}`;
}

export function resolutionWorkflowId(orderId: string, n: number): string {
  return `resolve/${orderId}/${n}`;
}

export function accountWorkflowId(accountId: string): string {
  return `account/${accountId}`;
}

export function marketWatchWorkflowId(venue: string): string {
  return `market-watch/${venue}`;
}

/** The schedule's, and the beginning of its workflows' ids. */
export const RETENTION_SCHEDULE_ID = 'retention';

export const SWEEPER_WORKFLOW_ID = 'sweeper';

export const STORE_GUARD_WORKFLOW_ID = 'store-guard';

export function webhookWorkflowId(endpointId: string): string {
  return `webhook/${endpointId}`;
}

/** A user's alert rules. */
export function alertWatchWorkflowId(userId: string): string {
  return `alerts/${userId}`;
}

/** What is sent to a Telegram chat or an e-mail address. */
export function alertDeliveryWorkflowId(channelId: string): string {
  return `alert-channel/${channelId}`;
}

export function strategyWorkflowId(strategyId: string): string {
  return `strategy/${strategyId}`;
}

export function orderListWorkflowId(listId: string): string {
  return `order-list/${listId}`;
}

export function killSwitchWorkflowId(killSwitchId: string): string {
  return `kill-switch/${killSwitchId}`;
}

export function deadManWorkflowId(accountId: string): string {
  return `dead-man/${accountId}`;
}

export function depositWorkflowId(depositId: string): string {
  return `deposit/${depositId}`;
}

export function chainWatchWorkflowId(chainId: number): string {
  return `chain-watch/${chainId}`;
}

export function collateralMoveWorkflowId(moveId: string): string {
  return `collateral-move/${moveId}`;
}

/** What is done with a deposit's money at its venue. */
export function fundedOrderWorkflowId(depositId: string): string {
  return `funded-order/${depositId}`;
}

export function withdrawalWorkflowId(withdrawalId: string): string {
  return `withdrawal/${withdrawalId}`;
}
