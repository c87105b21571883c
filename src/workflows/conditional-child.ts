/** The order that a conditional order places at one of its steps. */
import { childIntent } from '../domain/child-intent';
import type { OrderIntent } from '../domain/order';
import type { TradingState } from '../domain/supervised-order';
import { sha256Hex } from './child-orders';
import type { Step } from './state/conditional-steps';

/** Legs of a conditional order: what pursues it, and the native stop behind it. */
const PURSUIT_LEG = 0;
const NATIVE_LEG = 1;

export function conditionalChild(parent: OrderIntent, { n, step, terms }: Pick<Extract<Step, { kind: 'place' }>, 'n' | 'step' | 'terms'>, workflowId: string, { market, signerId, mark, bid, ask }: TradingState, nowMs: number): ReturnType<typeof childIntent> {
  const { id, userId, accountId, venue, symbol, venueSymbol } = parent;
  const name = { parentId: id, leg: step === 'native' ? NATIVE_LEG : PURSUIT_LEG, child: n };
  const owner = { userId, accountId, signerId, venue, symbol, venueSymbol, origin: 'CONDITIONAL', supervision: { ...parent.supervision, workflowId, parentOrderId: id } } as const;
  return childIntent(name, owner, terms, { rules: market, referencePrice: mark ?? bid ?? ask }, nowMs, sha256Hex);
}
