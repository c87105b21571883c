/** The loop that looks at every trigger on every price: what the index must equal. */
import type { PriceType } from '../../../src/domain/condition';
import { carriedExtreme, evaluate, type Trigger } from '../../../src/domain/trigger';

export interface Fired {
  readonly id: string;
  readonly revision: number;
  readonly level: string;
  readonly extreme: string | null;
}

export class NaiveTriggers {
  private readonly triggers = new Map<string, { trigger: Trigger; extreme: string | null }>();

  arm(trigger: Trigger): void {
    const known = this.triggers.get(trigger.id);
    if (known !== undefined && known.trigger.revision >= trigger.revision) return;
    const carried = known === undefined ? null : carriedExtreme(known.trigger.parameters, trigger.parameters, known.extreme);
    this.triggers.set(trigger.id, { trigger, extreme: carried ?? trigger.extreme });
  }

  disarm(id: string): void {
    this.triggers.delete(id);
  }

  tick(symbol: string, priceType: PriceType, price: string): readonly Fired[] {
    const fired: Fired[] = [];
    for (const [id, held] of this.triggers) {
      const { trigger } = held;
      if (trigger.symbol !== symbol || trigger.parameters.priceType !== priceType) continue;
      const { extreme, reached } = evaluate(trigger.parameters, held.extreme, price);
      held.extreme = extreme;
      if (reached === null) continue;
      this.triggers.delete(id);
      fired.push({ id, revision: trigger.revision, ...reached });
    }
    return fired;
  }

  extremeOf(id: string): string | null {
    return this.triggers.get(id)?.extreme ?? null;
  }

  get ids(): readonly string[] {
    return [...this.triggers.keys()];
  }
}

export function triggerNamed(id: string, parameters: Trigger['parameters'], changes: Partial<Trigger> = {}): Trigger {
  return { id, userId: 'u', accountId: 'a', workflowId: `order/a/${id}`, venue: 'paper', symbol: 'BTC-PERP', parameters, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 0, checkpointAtMs: 0, evidence: null, acknowledged: false, ...changes };
}

/** An assertion for properties that compare some hundred thousand times: jest's own takes most of their time. */
export function same(seen: readonly (string | number | null | undefined)[], expected: readonly (string | number | null | undefined)[]): void {
  if (seen.length === expected.length && seen.every((each, n) => Object.is(each, expected[n]))) return;
  throw new Error(`seen ${JSON.stringify(seen)}, expected ${JSON.stringify(expected)}`);
}
