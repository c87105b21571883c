/** The words of an order that waits: for a price, for a time, and for its end. Decimals are plain strings, times are ISO 8601. */

/** `native`: the venue's own trigger order; `durable`: a workflow of ours; `both`: the native one is the backstop of the durable one. */
export type Execution = 'native' | 'durable' | 'both';

/** Which price fires it. `mid`: the middle between best bid and best ask. */
export type PriceType = 'last' | 'mark' | 'index' | 'mid';

/** `percent` and `bps` are of the best price since it was armed (or since its activation). */
export type TrailingOffsetType = 'price' | 'bps' | 'percent';

/** `traded`: a level that was traded through while nobody watched fires on return, as the venue's own stop would have; `current`: only the present price counts. */
export type GapPolicy = 'traded' | 'current';

/** What becomes of a limit that was placed when its trigger fired and did not fill. Each step is skipped where its time is null. */
export interface Escalation {
  /** ms after the limit was placed: it is moved to the best price on its own side, again and again. */
  readonly chaseAfterMs: number | null;
  /** ms after the chase began (or, without one, after the limit was placed): the rest goes out IOC. */
  readonly marketAfterMs: number | null;
  /** How far beyond the trigger price the IOC may fill, in basis points. */
  readonly slippageBps: number;
}

/** What an order waits for, and how it ends by itself. */
export interface OrderCondition {
  readonly execution: Execution;
  readonly triggerPrice: string | null;
  readonly triggerPriceType: PriceType | null;
  readonly trailingOffset: string | null;
  readonly trailingOffsetType: TrailingOffsetType | null;
  readonly activationPrice: string | null;
  readonly gapPolicy: GapPolicy | null;
  readonly escalation: Escalation | null;
  readonly startAt: string | null;
  readonly expireTime: string | null;
}

/** Waits in a workflow of ours, which places children: the order itself is never sent, and costs no exposure. */
export function isHeld(order: { readonly execution?: Execution | null }): boolean {
  return order.execution === 'durable' || order.execution === 'both';
}

/** What an order that waits, or waited, waits for; null for every other. */
export function conditionOf(order: { readonly [Name in keyof OrderCondition]: OrderCondition[Name] | null }): OrderCondition | null {
  const { execution, triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation, startAt, expireTime } = order;
  if (execution === null) return null;
  return { execution, triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation, startAt, expireTime };
}
