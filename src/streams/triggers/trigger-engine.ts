/**
 * The triggers of one venue inside its market watcher: every price is evaluated as it comes, before anything is conflated or published.
 * What fires is stored first and told afterwards, again and again until its workflow acknowledges it. Nothing is evaluated before
 * `begin`, when the watcher has its scope: prices heard before wait for what is read of the time nobody watched.
 */
import type { Clock } from '../../domain/clock';
import { decimal, decimalText } from '../../domain/decimal';
import type { Ticker } from '../../domain/market';
import type { WriterEpoch } from '../../domain/order-store';
import { evaluate, sameParameters, type PriceOrigin, type Trigger, type TriggerEvidence } from '../../domain/trigger';
import type { PublicMessage } from '../../domain/venue';
import { HeardMarkets } from '../prices/heard-markets';
import { HeldPrices } from '../prices/held-prices';
import type { MarketPrices, Price } from '../prices/market-prices';
import { MissedPrices, READ_AGAIN_MS, type Missed } from '../prices/missed-prices';
import type { PriceRules, Verdict } from '../prices/price-guard';
import { TrailMemory } from './trail-memory';
import { catchUp, type History } from './trigger-catch-up';
import { TriggerIndex, type Crossed } from './trigger-index';
import { TriggerMessenger } from './trigger-messenger';
import { TriggerSync, type TriggerRows } from './trigger-sync';

export interface TriggerEngineOptions {
  readonly venue: string;
  readonly clock: Clock;
  readonly rows: TriggerRows;
  readonly rules: PriceRules;
  /** Settles once the workflow has it; `gone`: there is no such workflow (any more). */
  readonly signal: (workflowId: string, evidence: TriggerEvidence) => Promise<'told' | 'gone'>;
  /** The last trades or candles of a market since then (the venue's clock, ms); null where the venue tells none now. */
  readonly history: (symbol: string, sinceMs: number) => Promise<History | null>;
  /** How far the venue's clock is ahead of ours, ms. */
  readonly venueAheadMs: () => Promise<number>;
  /** Its workflow has it, so long after its price was seen, ms. */
  readonly onTold?: (evidence: TriggerEvidence, lagMs: number) => void;
  readonly onRefused?: (symbol: string, verdict: Verdict) => void;
  /** A market's past could not be read; it is asked for again. */
  readonly onUnread?: (symbol: string) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** A market whose own venue was silent for longer looks at its backup. */
export const BACKUP_AFTER_MS = 5_000;

export class TriggerEngine {
  private readonly index = new TriggerIndex();
  private readonly markets: HeardMarkets;
  private readonly messenger: TriggerMessenger;
  private readonly sync: TriggerSync;
  private readonly trails: TrailMemory;
  private held: HeldPrices | null = new HeldPrices();
  private writer: WriterEpoch | null = null;
  private readonly missed: MissedPrices;
  /** From when on (our clock) every price of this venue was heard. */
  private wholeSinceMs = Infinity;
  /** When the stream said something last. */
  private streamHeardMs = -Infinity;

  constructor(private readonly options: TriggerEngineOptions) {
    this.markets = new HeardMarkets(options, (symbol, price, market) => this.evaluate(symbol, price, market));
    this.messenger = new TriggerMessenger(options, (trigger) => this.arm(trigger));
    this.missed = new MissedPrices(options, (symbol, missed, history, aheadMs) => this.takePast(symbol, missed, history, aheadMs));
    this.sync = new TriggerSync(options, { arm: (trigger) => this.arm(trigger), disarm: (id) => this.disarm(id), tell: (trigger) => this.messenger.tell(trigger), forget: (id) => this.messenger.forget(id) }, this.index);
    this.trails = new TrailMemory(this.index, this.sync, (symbol) => this.markets.market(symbol), options.rules.staleMs);
  }

  /** Reads what is armed; before the scope is taken, so that taking it costs no blindness. */
  load(): Promise<void> {
    return this.sync.load();
  }

  /** From now on this watcher is the one. `watchedMs`: up to when the one before it saw every price (our clock); null: there was none. */
  async begin(writer: WriterEpoch, watchedMs: number | null): Promise<void> {
    this.writer = writer;
    // What is read back below tells everything up to now at least.
    this.streamHeardMs = this.options.clock.nowMs();
    this.messenger.begin(writer);
    // What the one before stored until it lost its scope.
    await this.sync.load();
    for (const trigger of this.index.all()) {
      const { armedAtMs, checkpointAtMs } = trigger;
      // One that was armed later was not watched then: it may count from before.
      const sinceMs = watchedMs === null || armedAtMs > watchedMs ? checkpointAtMs : Math.max(checkpointAtMs, watchedMs);
      this.miss(trigger, trigger.extreme, sinceMs, watchedMs ?? 0);
    }
    // A slow venue holds back no live price for long: its past is taken when it comes, from the triggers as they were.
    await Promise.race([this.missed.read(), new Promise<void>((resolve) => void setTimeout(resolve, READ_AGAIN_MS))]);
    this.wholeSinceMs = this.options.clock.nowMs();
    const { held } = this;
    this.held = null;
    held?.hear(this.index, (trigger) => this.trails.beginAtStanding(trigger));
    const unheldSinceMs = held?.unheldSinceMs ?? null;
    if (unheldSinceMs !== null) this.gap(unheldSinceMs, this.wholeSinceMs);
    this.sync.follow();
  }

  /** Somebody changed a trigger of this venue. */
  noticed(): void {
    this.sync.noticed();
  }

  /** `asked`: the stream did not tell it. */
  hear(message: PublicMessage, asked = false): void {
    const observedAtMs = this.options.clock.nowMs();
    // What the new connection told before its gap is newer than what is missing.
    const missingSinceMs = Math.min(this.streamHeardMs, message.kind === 'gap' ? observedAtMs - message.missingForMs : Infinity);
    if (!asked) this.streamHeardMs = observedAtMs;
    // Before the scope was taken, the past is still to be read.
    if (message.kind === 'gap' && this.writer !== null) return this.whenBegun(observedAtMs, () => this.gap(missingSinceMs, observedAtMs));
    if (message.kind === 'ticker') this.whenBegun(observedAtMs, () => this.markets.ticker(message.ticker, this.options.venue, observedAtMs, asked));
    else if (message.kind === 'trades') this.whenBegun(observedAtMs, () => this.markets.trades(message.symbol, message.trades, observedAtMs));
  }

  /** The market's price at the venue that was named as its backup. */
  hearBackup(symbol: string, ticker: Ticker): void {
    const nowMs = this.options.clock.nowMs();
    if (this.held === null && nowMs - this.markets.market(symbol).heardMs > BACKUP_AFTER_MS) this.markets.ticker({ ...ticker, symbol }, ticker.venue, nowMs);
  }

  /** Stores how far trailing triggers have come. Answers up to when (our clock) nothing is missing from what is stored. Throws EpochLost. */
  async checkpoint(): Promise<number> {
    const { writer } = this;
    if (writer === null || this.held !== null) throw new Error('the engine has not begun');
    const atMs = this.options.clock.nowMs();
    await this.messenger.settled();
    // What was not read back yet is still missing, whoever watches next; and nobody knows what a silent stream has not told.
    await this.sync.storeMarks(writer, atMs, (id) => this.missed.get(id) === undefined && !this.trails.hasSeenAfter(id, this.streamHeardMs));
    return Math.min(atMs, this.sync.knownMs, this.missed.watchedMs, this.streamHeardMs);
  }

  async close(): Promise<void> {
    this.missed.close();
    this.sync.close();
    await this.messenger.close();
  }

  get armed(): number {
    return this.index.size;
  }

  private whenBegun(observedAtMs: number, evaluate: () => void): void {
    if (this.held === null) evaluate();
    else this.held.add({ observedAtMs, evaluate });
  }

  private evaluate(symbol: string, price: Price, market: MarketPrices): void {
    const known = price.type === 'last' ? market.knownTo(price.atMs) : [];
    for (const crossed of this.index.tick(symbol, price.type, price.text, known)) this.fire(crossed, price, 'stream', market.sequence);
  }

  /** The stream was down until now: what came between is in the venue's history only. */
  private gap(sinceMs: number, nowMs: number): void {
    this.wholeSinceMs = nowMs;
    for (const market of this.markets.all()) market.joined = false;
    for (const trigger of this.index.all()) this.miss(trigger, this.trails.extremeAt(trigger, sinceMs), Math.max(trigger.checkpointAtMs, sinceMs), sinceMs);
    this.missed.atOnce();
  }

  /** `extreme`: what it had seen then. Venues keep no history of mark, index and mid. */
  private miss({ id, revision, symbol, parameters }: Trigger, extreme: string | null, sinceMs: number, watchedMs: number): void {
    if (parameters.priceType === 'last') this.missed.add({ id, revision, symbol, extreme, sinceMs, watchedMs });
  }

  private fire({ trigger, level, extreme }: Crossed, price: Price, origin: PriceOrigin, sequence: number): void {
    const { writer } = this;
    if (writer === null) return;
    this.missed.forget(trigger.id);
    const { text, type, source, atMs, observedAtMs } = price;
    const evidence: TriggerEvidence = {
      triggerId: trigger.id, revision: trigger.revision, price: text, priceType: type, source, backup: source !== this.options.venue, origin,
      extreme: extreme === null ? null : decimalText(extreme), level: decimalText(level), atMs, observedAtMs, sequence, scope: writer.scope, epoch: writer.epoch,
    };
    this.messenger.fire(trigger, evidence);
  }

  /**
   * A trigger that was armed a moment ago has missed nothing: a trailing one begins at the price that stood then, and the prices since are
   * still here. Where they are not, the venue is asked for them.
   */
  private arm(trigger: Trigger): void {
    const before = this.index.get(trigger.id);
    const pending = this.missed.get(trigger.id);
    this.index.arm(trigger);
    const armed = this.index.get(trigger.id);
    if (this.held !== null || armed === undefined) return;
    const isSame = before !== undefined && sameParameters(before.parameters, armed.parameters);
    // Amended in something else: it goes on, and misses what it missed.
    if (isSame && pending !== undefined) return this.missed.add({ ...pending, revision: armed.revision });
    if (isSame) return;
    this.missed.forget(armed.id);
    if (!this.hearAgain(armed)) return;
    const { priceType, kind, gapPolicy } = armed.parameters;
    const market = this.markets.market(armed.symbol);
    if (priceType === 'last') market.joined = true;
    const isWhole = armed.checkpointAtMs >= this.wholeSinceMs && market.remembersSince(priceType, armed.checkpointAtMs);
    if (isWhole || (kind === 'level' && gapPolicy === 'current')) return;
    const { armedAtMs, checkpointAtMs } = armed;
    this.miss(armed, armed.extreme, checkpointAtMs, Math.max(armedAtMs - 1, checkpointAtMs));
    this.missed.soon();
  }

  /** Of the prices that are remembered those since its checkpoint; false: one of them has fired it. */
  private hearAgain(armed: Trigger): boolean {
    const market = this.markets.market(armed.symbol);
    const { parameters, checkpointAtMs } = armed;
    this.trails.beginAtStanding(armed);
    if (parameters.gapPolicy !== 'traded') return true;
    let extreme = this.index.extremeOf(armed.id);
    for (const price of market.since(parameters.priceType, checkpointAtMs)) {
      const { reached, extreme: seen } = evaluate(parameters, extreme, price.text);
      extreme = seen;
      if (reached === null) continue;
      this.index.disarm(armed.id);
      this.fire({ trigger: armed, level: decimal(reached.level), extreme: reached.extreme === null ? null : decimal(reached.extreme) }, price, 'stream', market.sequence);
      return false;
    }
    this.raise(armed.id, extreme);
    return true;
  }

  private disarm(id: string): void {
    this.index.disarm(id);
    this.missed.forget(id);
  }

  private raise(id: string, extreme: string | null): void {
    if (extreme !== null) this.index.raise(id, extreme);
  }

  private takePast(symbol: string, missed: readonly Missed[], history: History, aheadMs: number): void {
    const market = this.markets.market(symbol);
    const since = new Map(missed.map(({ id, sinceMs }) => [id, sinceMs + aheadMs]));
    // What was amended, disarmed or fired meanwhile is another matter.
    const still = missed.flatMap(({ id, revision, extreme }) => {
      const trigger = this.index.get(id);
      return trigger?.revision === revision ? [{ ...trigger, extreme }] : [];
    });
    if (market.joined) for (const { id } of still) market.toldAlone(id, history.untilMs);
    else market.toldAll(history.untilMs, this.options.clock.nowMs());
    const { fired, armed } = catchUp(still, history, ({ id }) => since.get(id) ?? Infinity);
    for (const { trigger, level, extreme, price, atMs } of fired) {
      this.index.disarm(trigger.id);
      const seen: Price = { type: 'last', text: price, source: this.options.venue, atMs, observedAtMs: this.options.clock.nowMs() };
      this.fire({ trigger, level: decimal(level), extreme: extreme === null ? null : decimal(extreme) }, seen, history.origin, market.sequence);
    }
    for (const { id, extreme } of armed) this.raise(id, extreme);
  }
}
