/** What a trailing trigger had seen at a time: when it was accepted, and before the stream lost something. */
import { decimal } from '../../domain/decimal';
import { evaluate, type Trigger } from '../../domain/trigger';
import type { MarketPrices } from '../prices/market-prices';
import type { TriggerIndex } from './trigger-index';
import type { TriggerSync } from './trigger-sync';

export class TrailMemory {
  constructor(
    private readonly index: TriggerIndex,
    private readonly sync: Pick<TriggerSync, 'markBy'>,
    private readonly market: (symbol: string) => MarketPrices,
    private readonly staleMs: number,
  ) {}

  /** One that follows nothing yet begins at the price that stood when it was accepted. */
  beginAtStanding({ id, symbol, parameters, checkpointAtMs }: Trigger): void {
    if (parameters.kind === 'level' || this.index.extremeOf(id) !== null) return;
    const standing = this.market(symbol).standingAt(parameters.priceType, checkpointAtMs, this.staleMs);
    const extreme = standing === null ? null : evaluate(parameters, null, standing.text).extreme;
    if (extreme !== null) this.index.raise(id, extreme);
  }

  /**
   * What it had seen by then (our clock). Where its extreme may be of a price that came later (it was asked for meanwhile, or a new connection told it
   * before its gap) it is taken back to the best it had before: what the stream lost came before that price, not after it.
   */
  extremeAt(trigger: Trigger, ms: number): string | null {
    const extreme = this.index.extremeOf(trigger.id);
    if (extreme === null || trigger.parameters.priceType !== 'last') return extreme;
    const market = this.market(trigger.symbol);
    const best = decimal(extreme);
    const isLater = !market.remembersSince('last', ms + 1) || market.since('last', ms + 1).some(({ text }) => best.equals(decimal(text)));
    return isLater ? this.bestBy(trigger, ms) : extreme;
  }

  /** It may have seen a price that was asked for after the stream's last word, and so after what that may have lost. */
  hasSeenAfter(id: string, streamHeardMs: number): boolean {
    const symbol = this.index.symbolOf(id);
    return symbol !== undefined && this.market(symbol).askedMs > streamHeardMs;
  }

  /** From its last mark of then, and what was heard between; null: it followed nothing that is known. */
  private bestBy(trigger: Trigger, ms: number): string | null {
    const { symbol, parameters, checkpointAtMs } = trigger;
    const market = this.market(symbol);
    const mark = this.sync.markBy(trigger, ms);
    const standing = mark === null ? market.standingAt('last', checkpointAtMs, this.staleMs) : null;
    const heard = market.since('last', mark?.atMs ?? checkpointAtMs).filter(({ observedAtMs }) => observedAtMs <= ms);
    return [...(standing === null ? [] : [standing]), ...heard].reduce<string | null>((best, { text }) => evaluate(parameters, best, text).extreme, mark?.extreme ?? null);
  }
}
