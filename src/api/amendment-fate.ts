/** One amendment of a working order among others: what the order shows may be somebody else's doing. */
import { sameDecimal } from '../domain/decimal';
import { isTerminal, type Order } from '../domain/order';
import type { Amendment } from './order-mutations';
import type { MutationVerdict } from './order-ports';

export class AmendmentFate {
  private verdict: MutationVerdict['verdict'] | null = null;
  private wasPending = false;

  /** `before`: the order at the revision that is amended. */
  constructor(private readonly before: Order, private readonly terms: Amendment) {}

  /** Its own answer. */
  heard(answer: MutationVerdict): MutationVerdict {
    this.verdict = answer.verdict;
    return answer;
  }

  /** Certainly on record: no other can have been taken of this revision, and what the order shows after it is its doing. */
  get isTaken(): boolean {
    return this.verdict === 'applied' || this.verdict === 'refused' || this.verdict === 'pending';
  }

  isOver(seen: Order): boolean {
    if (seen.pendingReplace) this.wasPending = true;
    if (isTerminal(seen.state)) return true;
    if (seen.pendingReplace) return false;
    return this.isTaken ? seen.revision > this.before.revision : this.wasPending && this.isAllThatChanged(seen);
  }

  /** The order has these terms by this amendment, or by an equal one. */
  isDone(seen: Order): boolean {
    if (seen.pendingReplace) return false;
    if (!this.isTaken) return this.wasPending && this.isAllThatChanged(seen);
    // Applied, it was amended again since where it shows others.
    return hasTerms(seen, this.terms) || (this.verdict === 'applied' && !isTerminal(seen.state));
  }

  /** What is not asked for stays as it was: another's amendment may have this one's terms and more. */
  private isAllThatChanged(seen: Order): boolean {
    const { limitPrice, quantity, condition } = this.terms;
    const triggerPrice = condition?.triggerPrice ?? this.before.triggerPrice;
    return hasTerms(seen, { limitPrice: limitPrice ?? this.before.limitPrice, quantity: quantity ?? this.before.quantity, ...(triggerPrice === null ? {} : { condition: { triggerPrice } }) });
  }
}

function hasTerms(order: Order, terms: Amendment): boolean {
  const same = (asked: string | null, shown: string | null): boolean => asked === null || sameDecimal(asked, shown);
  return same(terms.limitPrice, order.limitPrice) && same(terms.quantity, order.quantity) && same(terms.condition?.triggerPrice ?? null, order.triggerPrice);
}
