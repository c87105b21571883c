/** The words between a conditional order's state and its workflow: what it remembers, and what it is to do next. */
import type { ChildTerms } from '../../domain/child-intent';
import type { OrderCondition } from '../../domain/condition';
import type { FoldedOrders } from '../../domain/folded-orders';
import type { SupervisedOrder } from '../../domain/supervised-order';
import type { PursuitStep } from './pursuit';

/** What fired it: a crossing the workflow has checked itself, the venue's own stop, or a time that came. */
export interface Fired {
  readonly by: 'trigger' | 'native' | 'time';
  /** The level that was crossed; null for a time. */
  readonly level: string | null;
  readonly atMs: number;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface Child {
  readonly n: number;
  readonly orderId: string;
  /** `native`: the backstop at the venue while the order is armed. */
  readonly step: PursuitStep | 'native';
  readonly placedAtMs: number;
  /** Revision of the order's terms it was made of. */
  readonly termsVersion: number;
  /** null until its row is there. */
  view: SupervisedOrder | null;
  cancelAskedAtMs: number | null;
}

/** Carried over continue-as-new. */
export interface ConditionalMemory {
  readonly condition: OrderCondition;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly termsVersion: number;
  readonly armedVersion: number | null;
  /** Which trigger of the order it is: a fired one is never armed again, another takes its place. */
  readonly triggerNumber: number;
  readonly fired: Fired | null;
  readonly pursuitSinceMs: number | null;
  /** By name: what is open, and the newest of what has ended. */
  readonly children: readonly Child[];
  /** The others; absent in what was carried over before they were folded. */
  readonly folded?: FoldedOrders;
  readonly cancelAsked: boolean;
  readonly failures: number;
  readonly nativeFailures: number;
  /** Of its row, when it was seen last; absent in what was carried over before it was. */
  readonly rowRevision?: number;
  /** Since when it has these terms, ms; absent as above. */
  readonly termsSinceMs?: number;
}

export type Step =
  /** (Re-)arm the trigger with the terms of this version. */
  | { readonly kind: 'arm'; readonly version: number }
  | { readonly kind: 'fire'; readonly fired: Fired }
  /** Prices, position and the market's rules are needed before the next step. */
  | { readonly kind: 'readMarket' }
  /** `version`: of the order's terms that it is made of. */
  | { readonly kind: 'place'; readonly n: number; readonly step: Child['step']; readonly version: number; readonly terms: ChildTerms }
  | { readonly kind: 'cancelChild'; readonly child: Child }
  /** Nothing to do before this (ms), unless something is told; null: for as long as it takes. `looking`: a child is open, look at its row. */
  | { readonly kind: 'wait'; readonly untilMs: number | null; readonly looking: boolean }
  | { readonly kind: 'end'; readonly state: 'FILLED' | 'CANCELED' | 'EXPIRED' | 'REJECTED' | 'DENIED'; readonly reasonCode: string | null; readonly message: string | null };

/** `<parent>.<leg>.<n>`, as domain/client-ids.ts writes it. */
export function childOf(view: SupervisedOrder): Child {
  const [, leg = '0', n = '0'] = view.clientOrderId.split('.');
  const step = leg === '1' ? 'native' : view.type === 'market' || view.timeInForce === 'IOC' ? 'market' : 'limit';
  return { n: Number(n), orderId: view.id, step, placedAtMs: Date.parse(view.updatedAt), termsVersion: 0, view, cancelAskedAtMs: null };
}
