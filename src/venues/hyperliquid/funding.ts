/** What positions pay: the rate of the hour that runs, what is predicted, and what was charged. Rates are per hour. */
import type { FundingRate } from '../../domain/market';
import type { ReadOptions } from '../../domain/venue';
import type { HyperliquidClient } from './client';
import { canonical, dexOf } from './normalize';
import * as wire from './schemas';

const HOUR_MS = 60 * 60 * 1000;
/** One answer tells all markets of the venue: it serves whoever asks within this. */
const KEPT_MS = 30_000;
/** Its own name among the exchanges it predicts for. */
const OWN = 'HlPerp';
/** Most entries of one answer. */
const HISTORY_PER_PAGE = 500;

type Predictions = ReadonlyMap<string, { readonly rate: string; readonly nextAt: number }>;

interface Kept<T> {
  readonly atMs: number;
  readonly value: Promise<T>;
}

export class HyperliquidFunding {
  private readonly rates = new Map<string, Kept<ReadonlyMap<string, string>>>();
  private predictions: Kept<Predictions> | null = null;

  constructor(
    private readonly client: HyperliquidClient,
    private readonly venueTimeMs: (options: ReadOptions) => Promise<number>,
    private readonly nowMs: () => number,
  ) {}

  /** Predictions are told for the venue's own markets alone. Rate "0" for a market it does not list. */
  async current(coin: string, options: ReadOptions): Promise<FundingRate> {
    const dex = dexOf(coin);
    const [nowMs, rates, predictions] = await Promise.all([this.venueTimeMs(options), this.ratesOf(dex, options), dex === '' ? this.predicted(options) : null]);
    const predicted = predictions?.get(coin);
    return { symbol: coin, rate: rates.get(coin) ?? '0', ...(predicted === undefined ? {} : { predicted: predicted.rate }), nextAt: predicted?.nextAt ?? nowMs - (nowMs % HOUR_MS) + HOUR_MS, at: nowMs };
  }

  async history(coin: string, fromMs: number, toMs: number, options: ReadOptions): Promise<FundingRate[]> {
    const charged: FundingRate[] = [];
    for (let startTime = fromMs; startTime <= toMs; ) {
      const page = await this.client.info({ type: 'fundingHistory', coin, startTime, endTime: toMs }, wire.fundingsSchema, options);
      charged.push(...page.map(({ fundingRate, time }) => ({ symbol: coin, rate: canonical(fundingRate), nextAt: null, at: time })));
      const last = page.at(-1);
      if (page.length < HISTORY_PER_PAGE || last === undefined) break;
      startTime = last.time + 1;
    }
    return charged;
  }

  private ratesOf(dex: string, options: ReadOptions): Promise<ReadonlyMap<string, string>> {
    const kept = this.rates.get(dex);
    if (kept !== undefined && this.nowMs() - kept.atMs < KEPT_MS) return kept.value;
    const value = this.client
      .info({ type: 'metaAndAssetCtxs', ...(dex === '' ? {} : { dex }) }, wire.metaAndContextsSchema, options)
      .then(([{ universe }, contexts]) => new Map(universe.flatMap(({ name }, index): [string, string][] => (contexts[index] === undefined ? [] : [[name, canonical(contexts[index].funding)]]))));
    this.rates.set(dex, { atMs: this.nowMs(), value });
    // A read that failed serves nobody else.
    value.catch(() => this.rates.delete(dex));
    return value;
  }

  private predicted(options: ReadOptions): Promise<Predictions> {
    if (this.predictions !== null && this.nowMs() - this.predictions.atMs < KEPT_MS) return this.predictions.value;
    const value = this.client.info({ type: 'predictedFundings' }, wire.predictedFundingsSchema, options).then(
      (markets) =>
        new Map(
          markets.flatMap(([coin, exchanges]): [string, { rate: string; nextAt: number }][] => {
            const own = exchanges.find(([name]) => name === OWN)?.[1];
            return own === undefined || own === null ? [] : [[coin, { rate: canonical(own.fundingRate), nextAt: own.nextFundingTime }]];
          }),
        ),
    );
    this.predictions = { atMs: this.nowMs(), value };
    value.catch(() => (this.predictions = null));
    return value;
  }
}
