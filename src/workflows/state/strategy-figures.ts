/** What the orders of a strategy come to: filled, worth, claimed; and what of its quantity may still be placed. */
import { decimal, decimalText, maxOf, ZERO, type Decimal } from '../../domain/decimal';
import { isOpenChild, type ChildPlan, type Strategy, type StrategyChild } from '../../domain/strategy';

export interface Figures {
  readonly filled: Decimal;
  readonly value: Decimal;
  /** What filled, and what open children may come to. */
  readonly claimed: Decimal;
}

export function figuresOf(children: readonly StrategyChild[]): Figures {
  let [filled, value, claimed] = [ZERO, ZERO, ZERO];
  for (const child of children) {
    const own = decimal(child.filledQuantity);
    filled = filled.plus(own);
    if (child.avgPrice !== null) value = value.plus(own.times(decimal(child.avgPrice)));
    claimed = claimed.plus(isOpenChild(child) ? maxOf(decimal(child.quantity), own) : own);
  }
  return { filled, value, claimed };
}

/** More digits than any price has. */
const AVERAGE_DIGITS = 30;

export function shown({ filled, value }: Figures): { readonly filledQuantity: string; readonly avgPrice: string | null } {
  return { filledQuantity: decimalText(filled), avgPrice: filled.isZero() ? null : decimalText(value.dividedBy(filled).toSignificantDigits(AVERAGE_DIGITS)) };
}

/** Nothing that may still fill is placed twice: an open child, an UNKNOWN one and one without a row count whole. */
export function remainingOf(strategy: Strategy, figures: Figures): Decimal {
  return maxOf(decimal(strategy.quantity).minus(figures.claimed), ZERO);
}

/** As many of the plans as fit into what remains; a definition that wants more gets no more. */
export function bounded(remaining: Decimal, plans: readonly ChildPlan[]): readonly ChildPlan[] {
  let left = remaining;
  const fitting: ChildPlan[] = [];
  for (const plan of plans) {
    if (decimal(plan.quantity).greaterThan(left)) break;
    left = left.minus(decimal(plan.quantity));
    fitting.push(plan);
  }
  return fitting;
}
