/**
 * The triggers of one venue inside its market watcher: every price is evaluated as it comes, before anything is conflated or published.
 * What fires is stored first and told afterwards, again and again until its workflow acknowledges it. Nothing is evaluated before
 * `begin`, when the watcher has its scope: prices heard before wait for what is read of the time nobody watched.
 */
import type { Clock } from '../domain/clock';
import type { PriceType } from '../domain/condition';
import { decimal, decimalText } from '../domain/decimal';
import type { PublicTrade, Ticker } from '../domain/market';
import type { WriterEpoch } from '../domain/order-store';
import { evaluate, type PriceOrigin, type Trigger, type TriggerEvidence } from '../domain/trigger';
import type { PublicMessage } from '../domain/venue';
import { believed } from './believed-history';
import { PriceGuard, VenueClockGuess, type PriceRules, type Verdict } from './price-guard';
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
  readonly onTrouble: (error: unknown) => void;
}

/** Heard before the scope was taken; more than this is an outage by itself, and is read back like one. */
const MAX_HELD = 50_000;
/** A market whose own venue was silent for longer looks at its backup. */
export const BACKUP_AFTER_MS = 5_000;
/** The newest prices of each market and type, for triggers that were armed a moment before they were known here. */
const RECENT_PRICES = 64;

/** Messages of one venue overtake each other by less; a price further back is not late, its clock was changed. */
const CLOCK_JUMP_MS = 5_000;
/** Between two tries to read back what the venue did not tell. */
const READ_AGAIN_MS = 1_000;

interface Price {
  readonly type: PriceType;
  readonly text: string;
  readonly source: string;
  readonly atMs: number;
  readonly observedAtMs: number;
}

class MarketState {
  readonly guard: PriceGuard;
  private readonly recent = new Map<PriceType, Price[]>();
  sequence = 0;
  heardMs = -Infinity;
  /** What was read back tells everything up to then (the venue's clock): what was heard of that time meanwhile is known. */
  readUntilMs = -Infinity;
  readonly newestMs = new Map<string, number>();

  constructor(rules: PriceRules) {
    this.guard = new PriceGuard(rules);
  }

  /** Overtaken by a newer price of its kind. One that is older by far says that the venue's clock was set back. */
  isOvertaken({ type, source, atMs }: Price): boolean {
    const key = `${source} ${type}`;
    const newestMs = this.newestMs.get(key) ?? -Infinity;
    if (atMs < newestMs && newestMs - atMs < CLOCK_JUMP_MS) return true;
    this.newestMs.set(key, atMs);
    return type === 'last' && atMs <= this.readUntilMs;
  }

  /** A price that counts. */
  remember(price: Price): void {
    this.sequence += 1;
    const recent = this.recent.get(price.type) ?? [];
    this.recent.set(price.type, recent);
    recent.push(price);
    if (recent.length > RECENT_PRICES) recent.shift();
  }

  /** What was heard since then, oldest first. */
  since(type: PriceType, ms: number): readonly Price[] {
    return this.recent.get(type)?.filter(({ observedAtMs }) => observedAtMs >= ms) ?? [];
  }

  /** What stood then, unless it was heard longer ago than `staleMs`; null: not known. */
  standingAt(type: PriceType, ms: number, staleMs: number): Price | null {
    const before = this.recent.get(type)?.findLast(({ observedAtMs }) => observedAtMs < ms);
    return before === undefined || ms - before.observedAtMs > staleMs ? null : before;
  }
}

export class TriggerEngine {
  private readonly index = new TriggerIndex();
  private readonly markets = new Map<string, MarketState>();
  private readonly venueClock = new VenueClockGuess();
  private readonly messenger: TriggerMessenger;
  private readonly sync: TriggerSync;
  private held: (() => void)[] | null = [];
  private writer: WriterEpoch | null = null;
  /** Markets whose past could not be read yet, with the triggers as they were when nobody watched. */
  private unread = new Map<string, readonly Trigger[]>();
  private watchedMs: number | null = null;
  private readAgain: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(private readonly options: TriggerEngineOptions) {
    this.messenger = new TriggerMessenger(options, (trigger) => this.arm(trigger));
    this.sync = new TriggerSync(options, { arm: (trigger) => this.arm(trigger), disarm: (id) => this.index.disarm(id), tell: (trigger) => this.messenger.tell(trigger), forget: (id) => this.messenger.forget(id) }, this.index);
  }

  /** Reads what is armed; before the scope is taken, so that taking it costs no blindness. */
  load(): Promise<void> {
    return this.sync.load();
  }

  /** From now on this watcher is the one. `watchedMs`: up to when the one before it saw every price (our clock); null: there was none. */
  async begin(writer: WriterEpoch, watchedMs: number | null): Promise<void> {
    this.writer = writer;
    this.messenger.begin(writer);
    // What the one before stored until it lost its scope.
    await this.sync.load();
    this.watchedMs = watchedMs;
    // Venues keep no history of mark, index and mid.
    this.unread = bySymbol([...this.index.all()].filter(({ parameters }) => parameters.priceType === 'last'));
    // A slow venue holds back no live price for long: its past is taken when it comes, from the triggers as they were.
    await Promise.race([this.readBack(), new Promise<void>((resolve) => void setTimeout(resolve, READ_AGAIN_MS))]);
    const held = this.held ?? [];
    this.held = null;
    for (const evaluate of held) evaluate();
    this.sync.follow();
  }

  /** Somebody changed a trigger of this venue. */
  noticed(): void {
    this.sync.noticed();
  }

  hear(message: PublicMessage): void {
    const observedAtMs = this.options.clock.nowMs();
    if (message.kind === 'ticker') this.whenBegun(() => this.ticker(message.ticker, this.options.venue, observedAtMs));
    else if (message.kind === 'trades') this.whenBegun(() => this.trades(message.symbol, message.trades, observedAtMs));
  }

  /** The market's price at the venue that was named as its backup. */
  hearBackup(symbol: string, ticker: Ticker): void {
    const nowMs = this.options.clock.nowMs();
    if (this.held === null && nowMs - this.market(symbol).heardMs > BACKUP_AFTER_MS) this.ticker({ ...ticker, symbol }, ticker.venue, nowMs);
  }

  /** Stores how far trailing triggers have come. Answers up to when (our clock) nothing is missing from what is stored. Throws EpochLost. */
  async checkpoint(): Promise<number> {
    const { writer } = this;
    if (writer === null || this.held !== null) throw new Error('the engine has not begun');
    const atMs = this.options.clock.nowMs();
    await this.messenger.settled();
    await this.sync.storeMarks(writer, atMs);
    // What was not read back yet is still missing, whoever watches next.
    return this.unread.size > 0 ? (this.watchedMs ?? 0) : Math.min(atMs, this.sync.knownMs);
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.readAgain !== null) clearTimeout(this.readAgain);
    this.sync.close();
    await this.messenger.close();
  }

  get armed(): number {
    return this.index.size;
  }

  private whenBegun(evaluate: () => void): void {
    if (this.held === null) evaluate();
    else if (this.held.length < MAX_HELD) this.held.push(evaluate);
  }

  private ticker(ticker: Ticker, source: string, observedAtMs: number): void {
    const { symbol, bid, ask, last, mark, at } = ticker;
    const isCrossed = bid !== null && ask !== null && Number(bid) >= Number(ask) && decimal(bid).greaterThanOrEqualTo(decimal(ask));
    if (isCrossed) return this.options.onRefused?.(symbol, 'crossed');
    const ageMs = source === this.options.venue ? this.venueClock.ageMs(at, observedAtMs) : 0;
    const mid = bid === null || ask === null ? null : decimalText(decimal(bid).plus(decimal(ask)).dividedBy(TWO));
    const prices: readonly (readonly [PriceType, string | null])[] = [['mid', mid], ['mark', mark], ['index', ticker.index ?? null], ['last', last]];
    for (const [type, text] of prices) if (text !== null) this.price(symbol, { type, text, source, atMs: at, observedAtMs }, ageMs);
  }

  private trades(symbol: string, trades: readonly PublicTrade[], observedAtMs: number): void {
    for (const { price, at } of trades) this.price(symbol, { type: 'last', text: price, source: this.options.venue, atMs: at, observedAtMs }, this.venueClock.ageMs(at, observedAtMs));
  }

  private price(symbol: string, price: Price, ageMs: number): void {
    const market = this.market(symbol);
    if (market.isOvertaken(price)) return;
    const verdict = market.guard.judge(price.type, price.text, price.observedAtMs, ageMs);
    if (verdict !== 'counts') return this.options.onRefused?.(symbol, verdict);
    if (price.source === this.options.venue) market.heardMs = price.observedAtMs;
    market.remember(price);
    for (const crossed of this.index.tick(symbol, price.type, price.text)) this.fire(crossed, price, 'stream', market.sequence);
  }

  private fire({ trigger, level, extreme }: Crossed, price: Price, origin: PriceOrigin, sequence: number): void {
    const { writer } = this;
    if (writer === null) return;
    const { text, type, source, atMs, observedAtMs } = price;
    const evidence: TriggerEvidence = {
      triggerId: trigger.id, revision: trigger.revision, price: text, priceType: type, source, backup: source !== this.options.venue, origin,
      extreme: extreme === null ? null : decimalText(extreme), level: decimalText(level), atMs, observedAtMs, sequence, scope: writer.scope, epoch: writer.epoch,
    };
    this.messenger.fire(trigger, evidence);
  }

  /** A trigger that was armed a moment ago has missed nothing: a trailing one begins at the price that stood then, and the prices since are still here. */
  private arm(trigger: Trigger): void {
    this.index.arm(trigger);
    const market = this.markets.get(trigger.symbol);
    const armed = this.index.get(trigger.id);
    if (this.held !== null || market === undefined || armed === undefined) return;
    const { parameters, checkpointAtMs } = armed;
    const standing = market.standingAt(parameters.priceType, checkpointAtMs, this.options.rules.staleMs);
    if (standing !== null && this.index.extremeOf(armed.id) === null) this.raise(armed.id, evaluate(parameters, null, standing.text).extreme);
    if (parameters.gapPolicy !== 'traded') return;
    const missed = market.since(parameters.priceType, checkpointAtMs);
    const alone = new TriggerIndex();
    if (missed.length > 0) alone.arm({ ...armed, extreme: this.index.extremeOf(armed.id) });
    for (const price of missed) {
      const [crossed] = alone.tick(armed.symbol, price.type, price.text);
      if (crossed === undefined) continue;
      this.index.disarm(armed.id);
      return this.fire(crossed, price, 'stream', market.sequence);
    }
    this.raise(armed.id, alone.extremeOf(armed.id));
  }

  private raise(id: string, extreme: string | null): void {
    if (extreme !== null) this.index.raise(id, extreme);
  }

  /** What was traded since somebody watched last. A venue that does not tell now is asked again; live prices count meanwhile. */
  private async readBack(): Promise<void> {
    if (this.unread.size === 0) return;
    try {
      const aheadMs = await this.options.venueAheadMs();
      const sinceMs = ({ checkpointAtMs }: Trigger): number => Math.max(checkpointAtMs, this.watchedMs ?? -Infinity) + aheadMs;
      await inGroups([...this.unread], async ([symbol, triggers]) => {
        const history = await this.options.history(symbol, triggers.reduce((earliest, trigger) => Math.min(earliest, sinceMs(trigger)), Infinity));
        if (this.closed || history === null) return;
        this.unread.delete(symbol);
        this.takePast(symbol, triggers, believed(history, this.options.rules), sinceMs);
      });
    } catch (error) {
      this.options.onTrouble(error);
    }
    if (this.unread.size > 0 && !this.closed) this.readAgain = setTimeout(() => void this.readBack(), READ_AGAIN_MS);
  }

  private takePast(symbol: string, triggers: readonly Trigger[], history: History, sinceMs: (trigger: Trigger) => number): void {
    const market = this.market(symbol);
    market.readUntilMs = Math.max(market.readUntilMs, history.untilMs);
    // What was amended, disarmed or fired meanwhile is another matter.
    const still = triggers.filter(({ id, revision }) => this.index.get(id)?.revision === revision);
    const { fired, armed } = catchUp(still, history, sinceMs);
    for (const { trigger, level, extreme, price, atMs } of fired) {
      this.index.disarm(trigger.id);
      const seen: Price = { type: 'last', text: price, source: this.options.venue, atMs, observedAtMs: this.options.clock.nowMs() };
      this.fire({ trigger, level: decimal(level), extreme: extreme === null ? null : decimal(extreme) }, seen, history.origin, market.sequence);
    }
    for (const { id, extreme } of armed) this.raise(id, extreme);
  }

  private market(symbol: string): MarketState {
    const known = this.markets.get(symbol);
    if (known !== undefined) return known;
    const made = new MarketState(this.options.rules);
    this.markets.set(symbol, made);
    return made;
  }
}

const TWO = decimal('2');
/** Questions about the past that a venue is asked at once. */
const ASKED_AT_ONCE = 8;

async function inGroups<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += ASKED_AT_ONCE) await Promise.all(items.slice(from, from + ASKED_AT_ONCE).map(each));
}

function bySymbol(triggers: readonly Trigger[]): Map<string, readonly Trigger[]> {
  const groups = new Map<string, Trigger[]>();
  for (const trigger of triggers) {
    const group = groups.get(trigger.symbol) ?? [];
    groups.set(trigger.symbol, group);
    group.push(trigger);
  }
  return groups;
}

