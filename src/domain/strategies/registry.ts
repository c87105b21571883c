/** Every strategy there is. Workflows, the API and its document read it. */
import { chase } from './chase';
import type { AnyStrategyDefinition } from './definition';
import { iceberg } from './iceberg';
import { scale } from './scale';
import { twap } from './twap';

export const STRATEGIES: readonly AnyStrategyDefinition[] = [twap, chase, scale, iceberg];

/** Throws RangeError for a type that does not exist: the boundary refuses it before. */
export function strategyNamed(type: string): AnyStrategyDefinition {
  const definition = STRATEGIES.find((each) => each.type === type);
  if (definition === undefined) throw new RangeError(`no strategy is called ${type}`);
  return definition;
}
