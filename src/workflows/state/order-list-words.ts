/** A leg of a list as an operator reads it. */
import type { OrderListLeg } from '../../domain/order-list';

export function wordsOfLeg(leg: OrderListLeg): string {
  const level = leg.trailingOffset !== null ? ` trailing ${leg.trailingOffset} ${leg.trailingOffsetType ?? ''}` : leg.triggerPrice !== null ? ` when ${leg.triggerPriceType ?? 'last'} reaches ${leg.triggerPrice}` : '';
  const fired = leg.triggered === null ? '' : `; set off by ${leg.triggered.by}${leg.triggered.level === null ? '' : ` at ${leg.triggered.level}`}`;
  return `${leg.side} ${leg.filledQuantity}/${leg.quantity} ${leg.symbol} ${leg.type}${leg.limitPrice === null ? '' : ` at ${leg.limitPrice}`}${level}${leg.execution === 'both' ? ', with a native stop behind it' : ''}${leg.breakEvenPrice === null ? '' : `, or at ${leg.breakEvenPrice}`}${fired}${leg.reason === null ? '' : `: ${leg.reason}`}`;
}
