/**
 * A trigger that waits, as one text: nobody reads most of it until it fires, and a million of them as objects are ten million that the
 * collector of garbage walks through. Its id is kept beside it, because that is what is asked for.
 */
import type { Trigger, TriggerParameters } from '../../domain/trigger';

type Packed = readonly [
  Trigger['userId'], Trigger['accountId'], Trigger['workflowId'], Trigger['venue'], Trigger['symbol'],
  TriggerParameters['kind'], TriggerParameters['priceType'], TriggerParameters['direction'], TriggerParameters['triggerPrice'], TriggerParameters['trailingOffset'],
  TriggerParameters['trailingOffsetType'], TriggerParameters['activationPrice'], TriggerParameters['gapPolicy'],
  Trigger['revision'], Trigger['status'], Trigger['extreme'], Trigger['armedAtMs'], Trigger['checkpointAtMs'], Trigger['evidence'], Trigger['acknowledged'],
];

export function packed({ userId, accountId, workflowId, venue, symbol, parameters, revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged }: Trigger): string {
  const { kind, priceType, direction, triggerPrice, trailingOffset, trailingOffsetType, activationPrice, gapPolicy } = parameters;
  const fields: Packed = [
    userId, accountId, workflowId, venue, symbol, kind, priceType, direction, triggerPrice, trailingOffset, trailingOffsetType, activationPrice, gapPolicy,
    revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged,
  ];
  return JSON.stringify(fields);
}

export function unpacked(id: string, text: string): Trigger {
  const [
    userId, accountId, workflowId, venue, symbol, kind, priceType, direction, triggerPrice, trailingOffset, trailingOffsetType, activationPrice, gapPolicy,
    revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged,
  ] = JSON.parse(text) as Packed;
  const parameters: TriggerParameters = { kind, priceType, direction, triggerPrice, trailingOffset, trailingOffsetType, activationPrice, gapPolicy };
  return { id, userId, accountId, workflowId, venue, symbol, parameters, revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged };
}
