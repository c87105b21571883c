/**
 * Armed triggers by market and price type, in the order in which prices reach them. A price costs a few comparisons and O(log n) for each
 * trigger that it fires; arming and disarming cost O(log n). `bench/triggers.ts` measures it beside the naive loop. What waits is kept small
 * and apart from what is seldom read (trigger-slots.ts), so that a million of them cost hardly more by price than a hundred thousand.
 */
import type { PriceType } from '../../domain/condition';
import { decimal, type Decimal } from '../../domain/decimal';
import { carriedExtreme, isBetter, offsetRatio, type Trigger, type TriggerParameters } from '../../domain/trigger';
import { HeardPrice } from './exact-order';
import { MarketTriggers } from './market-triggers';
import { OffsetHeaps } from './offset-heap';
import type { Crossed } from './trailing-index';
import { TriggerSlots } from './trigger-slots';

export type { Crossed } from './trailing-index';

/** Two numbers of so many digits never have the same double. */
const SHORT_DIGITS = 15;

export class TriggerIndex {
  private readonly slots = new TriggerSlots();
  private readonly offsets = new OffsetHeaps(this.slots, (slot) => orderOf(this.slots.trigger(slot).parameters));
  private readonly markets: MarketTriggers[] = [];
  private readonly marketOf = new Map<string, MarketTriggers>();
  private readonly raised = new Map<string, Moved>();

  get size(): number {
    return this.slots.size;
  }

  get(id: string): Trigger | undefined {
    const slot = this.slots.find(id);
    return slot === undefined ? undefined : this.slots.trigger(slot);
  }

  revisionOf(id: string): number | undefined {
    const slot = this.slots.find(id);
    return slot === undefined ? undefined : this.slots.revision(slot);
  }

  symbolOf(id: string): string | undefined {
    const slot = this.slots.find(id);
    return slot === undefined ? undefined : this.market(slot).symbol;
  }

  /** Of each there is one revision: an amended one takes the old one's place, and what that saw where it still counts. */
  arm(trigger: Trigger): void {
    const slot = this.slots.find(trigger.id);
    if (slot === undefined) return this.add(trigger);
    if (this.slots.revision(slot) >= trigger.revision) return;
    const seen = carriedExtreme(this.slots.trigger(slot).parameters, trigger.parameters, this.market(slot).extremeOf(slot));
    this.disarm(trigger.id);
    this.add(seen === null ? trigger : { ...trigger, extreme: seen });
  }

  /** It has seen this price too, which may be better than the best it had. It counts as moved. */
  raise(id: string, extreme: string): void {
    const slot = this.slots.find(id);
    if (slot === undefined || !this.slots.isTrailing(slot)) return;
    const trigger = this.slots.trigger(slot);
    const known = this.market(slot).extremeOf(slot);
    if (known !== null && !isBetter(trigger.parameters.direction, decimal(extreme), decimal(known))) return;
    this.disarm(id);
    this.add({ ...trigger, extreme });
    this.raised.set(id, { id, revision: trigger.revision, extreme });
  }

  disarm(id: string): void {
    this.raised.delete(id);
    const slot = this.slots.find(id);
    if (slot === undefined) return;
    this.market(slot).remove(slot);
    this.slots.release(slot);
  }

  /** The triggers that this price reaches, which leave the index. Prices of one market come in their order. `except`: to these it is no news. */
  tick(symbol: string, priceType: PriceType, price: string, except: readonly string[] = NOBODY): readonly Crossed[] {
    const market = this.marketOf.get(keyOf(symbol, priceType));
    if (market === undefined) return NOTHING;
    if (market.isQuiet(Number(price))) return NOTHING;
    if (except.length > 0) return this.without(except, () => this.tick(symbol, priceType, price));
    const crossed: Crossed[] = [];
    market.tick(new HeardPrice(price), crossed);
    for (const { trigger } of crossed) this.raised.delete(trigger.id);
    return crossed;
  }

  /** Out of the index, each with what it has seen up to now, until `putBack`. Unknown ones are left out. */
  takeOut(triggers: Iterable<Pick<Trigger, 'id'>>): Trigger[] {
    const taken = [...triggers].flatMap(({ id }) => {
      const trigger = this.get(id);
      return trigger === undefined ? [] : [{ ...trigger, extreme: this.extremeOf(id) ?? trigger.extreme }];
    });
    for (const { id } of taken) this.disarm(id);
    return taken;
  }

  putBack(trigger: Trigger): void {
    this.arm(trigger);
    // It may have moved before, which nobody has stored yet.
    const { id, revision, extreme, parameters } = trigger;
    if (parameters.kind === 'trailing' && extreme !== null) this.raised.set(id, { id, revision, extreme });
  }

  /** What a trailing trigger has seen up to now. */
  extremeOf(id: string): string | null {
    const slot = this.slots.find(id);
    return slot === undefined ? null : this.market(slot).extremeOf(slot);
  }

  /** Trailing triggers whose extreme moved since this was asked last. */
  takeMoved(): Moved[] {
    const moved = new Map(this.raised);
    this.raised.clear();
    const take = (slot: number, extreme: string): void => {
      const id = this.slots.id(slot);
      moved.set(id, { id, revision: this.slots.revision(slot), extreme });
    };
    for (const market of this.markets) market.takeMoved(take);
    return [...moved.values()];
  }

  /** Each armed one, as it was armed. Arming and disarming have to wait until all are read. */
  *all(): Generator<Trigger> {
    for (const slot of this.slots.all()) yield this.slots.trigger(slot);
  }

  ids(): string[] {
    return Array.from(this.slots.all(), (slot) => this.slots.id(slot));
  }

  private add(trigger: Trigger): void {
    const { symbol, parameters } = trigger;
    const order = orderOf(parameters);
    const market = this.marketFor(symbol, parameters.priceType);
    market.add(this.slots.add(trigger, market.number, order.toNumber(), order.precision() > SHORT_DIGITS), trigger);
  }

  private without<T>(ids: readonly string[], work: () => T): T {
    const aside = this.takeOut(ids.map((id) => ({ id })));
    const answer = work();
    for (const trigger of aside) this.putBack(trigger);
    return answer;
  }

  private market(slot: number): MarketTriggers {
    return this.markets[this.slots.market(slot)] as MarketTriggers;
  }

  private marketFor(symbol: string, priceType: PriceType): MarketTriggers {
    const key = keyOf(symbol, priceType);
    const known = this.marketOf.get(key);
    if (known !== undefined) return known;
    const made = new MarketTriggers(this.markets.length, symbol, this.slots, this.offsets);
    this.markets.push(made);
    this.marketOf.set(key, made);
    return made;
  }
}

/** How far a trail has come. */
interface Moved {
  readonly id: string;
  readonly revision: number;
  readonly extreme: string;
}

const NOTHING: readonly Crossed[] = [];
const NOBODY: readonly string[] = [];

function keyOf(symbol: string, priceType: PriceType): string {
  return `${priceType} ${symbol}`;
}

/** What it is ordered by among its like: a level's price, a trail's offset in price or as a part of it. */
function orderOf({ kind, triggerPrice, trailingOffset, trailingOffsetType }: TriggerParameters): Decimal {
  if (kind === 'level') return decimal(triggerPrice ?? '');
  const offset = decimal(trailingOffset ?? '');
  return trailingOffsetType === 'price' ? offset : offsetRatio(offset, trailingOffsetType ?? 'bps');
}
