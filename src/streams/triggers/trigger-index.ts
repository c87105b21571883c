/**
 * Armed triggers by market and price type, in the order in which prices reach them. A price costs a few comparisons and O(log n) for each
 * trigger that it fires; arming and disarming cost O(log n). `bench/triggers.ts` measures it beside the naive loop.
 */
import type { PriceType } from '../../domain/condition';
import { decimal } from '../../domain/decimal';
import { carriedExtreme, isBetter, type Trigger } from '../../domain/trigger';
import { compareExact, exactly, HeapPlace, HeardPrice, OrderedHeap } from './exact-order';
import { QuietPrices } from './quiet-prices';
import { TrailingIndex, type Crossed } from './trailing-index';

export type { Crossed } from './trailing-index';

class MarketTriggers {
  private readonly above = new OrderedHeap<Trigger>(1);
  private readonly below = new OrderedHeap<Trigger>(-1);
  private readonly trailing = { atOrAbove: new TrailingIndex('atOrAbove'), atOrBelow: new TrailingIndex('atOrBelow') };
  private readonly levels = new Map<string, HeapPlace<Trigger>>();
  private readonly quiet = new QuietPrices();

  /** Whether a price of this double changes nothing here. */
  isQuiet(rounded: number): boolean {
    return this.quiet.has(rounded);
  }

  add(trigger: Trigger): void {
    this.quiet.none();
    const { kind, direction, triggerPrice } = trigger.parameters;
    if (kind === 'trailing') return this.trailing[direction].add(trigger);
    const place = new HeapPlace(trigger, exactly(decimal(triggerPrice ?? '')));
    this.levels.set(trigger.id, place);
    (direction === 'atOrAbove' ? this.above : this.below).add(place);
  }

  remove({ id, parameters: { kind, direction } }: Trigger): void {
    this.quiet.none();
    if (kind === 'trailing') return this.trailing[direction].remove(id);
    const place = this.levels.get(id);
    if (place === undefined) return;
    this.levels.delete(id);
    (direction === 'atOrAbove' ? this.above : this.below).remove(place);
  }

  tick(price: HeardPrice, crossed: Crossed[]): void {
    for (let place = this.above.first; place !== undefined && compareExact(place.key, price) <= 0; place = this.above.first) this.take(place, crossed);
    for (let place = this.below.first; place !== undefined && compareExact(place.key, price) >= 0; place = this.below.first) this.take(place, crossed);
    this.trailing.atOrAbove.tick(price, crossed);
    this.trailing.atOrBelow.tick(price, crossed);
    this.quiet.all();
    if (this.above.first !== undefined) this.quiet.below(this.above.first.key);
    if (this.below.first !== undefined) this.quiet.above(this.below.first.key);
    this.trailing.atOrAbove.narrow(this.quiet);
    this.trailing.atOrBelow.narrow(this.quiet);
  }

  extremeOf({ id, parameters }: Trigger): string | null {
    return parameters.kind === 'level' ? null : (this.trailing[parameters.direction].extremeOf(id)?.toFixed() ?? null);
  }

  takeMoved(): ReturnType<TrailingIndex['takeMoved']> {
    return [...this.trailing.atOrAbove.takeMoved(), ...this.trailing.atOrBelow.takeMoved()];
  }

  private take(place: HeapPlace<Trigger>, crossed: Crossed[]): void {
    this.remove(place.value);
    crossed.push({ trigger: place.value, level: place.key.exact, extreme: null });
  }
}

export class TriggerIndex {
  private readonly markets = new Map<string, MarketTriggers>();
  private readonly triggers = new Map<string, Trigger>();
  private readonly raised = new Map<string, { readonly trigger: Trigger; readonly extreme: string }>();

  get size(): number {
    return this.triggers.size;
  }

  get(id: string): Trigger | undefined {
    return this.triggers.get(id);
  }

  /** Of each there is one revision: an amended one takes the old one's place, and what that saw where it still counts. */
  arm(trigger: Trigger): void {
    const known = this.triggers.get(trigger.id);
    if (known !== undefined && known.revision >= trigger.revision) return;
    const seen = known === undefined ? null : carriedExtreme(known.parameters, trigger.parameters, this.extremeOf(known.id));
    if (known !== undefined) this.disarm(known.id);
    const armed = seen === null ? trigger : { ...trigger, extreme: seen };
    this.triggers.set(armed.id, armed);
    const key = keyOf(armed.symbol, armed.parameters.priceType);
    const market = this.markets.get(key) ?? new MarketTriggers();
    this.markets.set(key, market);
    market.add(armed);
  }

  /** It has seen this price too, which may be better than the best it had. It counts as moved. */
  raise(id: string, extreme: string): void {
    const trigger = this.triggers.get(id);
    if (trigger === undefined || trigger.parameters.kind === 'level') return;
    const known = this.extremeOf(id);
    if (known !== null && !isBetter(trigger.parameters.direction, decimal(extreme), decimal(known))) return;
    this.disarm(id);
    const raised = { ...trigger, extreme };
    this.triggers.set(id, raised);
    const key = keyOf(raised.symbol, raised.parameters.priceType);
    this.markets.get(key)?.add(raised);
    this.raised.set(id, { trigger: raised, extreme });
  }

  disarm(id: string): void {
    this.raised.delete(id);
    const trigger = this.triggers.get(id);
    if (trigger === undefined) return;
    this.triggers.delete(id);
    this.markets.get(keyOf(trigger.symbol, trigger.parameters.priceType))?.remove(trigger);
  }

  /** The triggers that this price reaches, which leave the index. Prices of one market come in their order. `except`: to these it is no news. */
  tick(symbol: string, priceType: PriceType, price: string, except: readonly string[] = NOBODY): readonly Crossed[] {
    const market = this.markets.get(keyOf(symbol, priceType));
    if (market === undefined) return NOTHING;
    if (market.isQuiet(Number(price))) return NOTHING;
    if (except.length > 0) return this.without(except, () => this.tick(symbol, priceType, price));
    const crossed: Crossed[] = [];
    market.tick(new HeardPrice(price), crossed);
    for (const { trigger } of crossed) {
      this.triggers.delete(trigger.id);
      this.raised.delete(trigger.id);
    }
    return crossed;
  }

  /** Out of the index, each with what it has seen up to now, until `putBack`. Unknown ones are left out. */
  takeOut(triggers: Iterable<Pick<Trigger, 'id'>>): Trigger[] {
    const taken = [...triggers].flatMap(({ id }) => {
      const trigger = this.triggers.get(id);
      return trigger === undefined ? [] : [{ ...trigger, extreme: this.extremeOf(id) ?? trigger.extreme }];
    });
    for (const { id } of taken) this.disarm(id);
    return taken;
  }

  putBack(trigger: Trigger): void {
    this.arm(trigger);
    // It may have moved before, which nobody has stored yet.
    if (trigger.parameters.kind === 'trailing' && trigger.extreme !== null) this.raised.set(trigger.id, { trigger, extreme: trigger.extreme });
  }

  private without<T>(ids: readonly string[], work: () => T): T {
    const aside = this.takeOut(ids.map((id) => ({ id })));
    const answer = work();
    for (const trigger of aside) this.putBack(trigger);
    return answer;
  }

  /** What a trailing trigger has seen up to now. */
  extremeOf(id: string): string | null {
    const trigger = this.triggers.get(id);
    return trigger === undefined ? null : (this.markets.get(keyOf(trigger.symbol, trigger.parameters.priceType))?.extremeOf(trigger) ?? null);
  }

  /** Trailing triggers whose extreme moved since this was asked last. */
  takeMoved(): { readonly trigger: Trigger; readonly extreme: string }[] {
    const moved = new Map(this.raised);
    this.raised.clear();
    for (const market of this.markets.values()) for (const { trigger, extreme } of market.takeMoved()) moved.set(trigger.id, { trigger, extreme: extreme.toFixed() });
    return [...moved.values()];
  }

  /** Each armed one. */
  all(): IterableIterator<Trigger> {
    return this.triggers.values();
  }
}

const NOTHING: readonly Crossed[] = [];
const NOBODY: readonly string[] = [];

function keyOf(symbol: string, priceType: PriceType): string {
  return `${priceType} ${symbol}`;
}
