/** Whether a strategy is the one that is asked for now. */
import type { Strategy } from '../domain/strategy';
import { withFallbacks, type Form } from '../domain/strategies/form';
import { strategyNamed } from '../domain/strategies/registry';
import { differing, type Compared } from './compared-terms';
import type { NewStrategyWish, StrategiesPort } from './ports';

type StrategyTerms = Pick<Strategy, 'type' | 'symbol' | 'side' | 'reduceOnly' | 'quantity' | 'parameters' | 'startAt' | 'expireAt'>;

const COMPARED = {
  type: 'fixed', symbol: 'fixed', side: 'fixed', reduceOnly: 'fixed', startAt: 'fixed', quantity: 'amendable', expireAt: 'amendable',
} as const satisfies Compared<Exclude<keyof NewStrategyWish, 'id' | 'clientStrategyId' | 'userId' | 'accountId' | 'venue' | 'venueSymbol' | 'parameters' | 'ownerWorkflowId'>>;

/** The fields in which a strategy differs from what is asked for now; its first event has what was asked for then. */
export function differingStrategyFields(asked: StrategyTerms, made: Strategy, timelineOf: () => ReturnType<StrategiesPort['timeline']>): Promise<string[]> {
  // Another type has other parameters: that it is another one says it all.
  const form: Form = asked.type === made.type ? strategyNamed(asked.type).form : {};
  const compared: Compared = { ...COMPARED, ...Object.fromEntries(Object.keys(form).map((name) => [`parameters.${name}`, 'amendable' as const])) };
  return differing(compared, flat(asked, form), flat(made, form), async () => {
    const first = (await timelineOf())?.events.find(({ type }) => type === 'strategy.created')?.data['strategy'] as StrategyTerms | undefined;
    return first === undefined ? null : flat(first, form);
  });
}

/** Every term by the name under which it is compared. A parameter that is younger than the strategy is what it means where it is left out. */
function flat(strategy: StrategyTerms, form: Form): Readonly<Record<string, unknown>> {
  const parameters = Object.entries(withFallbacks(form, strategy.parameters)).map(([name, value]): [string, unknown] => [`parameters.${name}`, value]);
  return { ...strategy, ...Object.fromEntries(parameters) };
}
