/** What a market's price is shown with and no ticker carries: the volume of a day and the funding rate, asked of the venue now and then. */
import type { Logger } from 'pino';
import { decimal, decimalText } from '../domain/decimal';
import { isoTime } from '../domain/clock';
import type { Market } from '../domain/market';
import { ExpiringCache } from './expiring-cache';
import { MARKET_CACHE_SIZE, MARKET_FIGURES_WAIT_MS } from './limits';
import type { ApiPorts } from './ports';

export interface ShownFigures {
  readonly volume24h: string | null;
  readonly funding: { readonly rate: string; readonly nextAt: string | null } | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type FigurePorts = Pick<ApiPorts, 'venues' | 'clock'>;

export class MarketFigures {
  private readonly volumes: ExpiringCache<string>;
  private readonly fundings: ExpiringCache<NonNullable<ShownFigures['funding']>>;

  constructor(
    private readonly ports: FigurePorts,
    private readonly log: Pick<Logger, 'warn'>,
    maxAgeMs: number,
  ) {
    const options = { maxAgeMs, maxEntries: MARKET_CACHE_SIZE, clock: ports.clock };
    this.volumes = new ExpiringCache(options);
    this.fundings = new ExpiringCache(options);
  }

  /** Never fails: a price is worth showing without them. What the venue does not tell is null, and the log says why. */
  async of(market: Market): Promise<ShownFigures> {
    const key = JSON.stringify([market.venue, market.symbol]);
    const [volume24h, funding] = await Promise.all([
      soon(this.volumes.get(key, () => this.volume24h(market)).catch((error: unknown) => this.absent(market, 'volume', error))),
      market.kind === 'spot' ? null : soon(this.fundings.get(key, () => this.funding(market)).catch((error: unknown) => this.absent(market, 'funding', error))),
    ]);
    return { volume24h, funding };
  }

  private async volume24h(market: Market): Promise<string> {
    const toMs = this.ports.clock.nowMs();
    const candles = await this.ports.venues.candles(market.venue, market.venueSymbol, { intervalMs: HOUR_MS, fromMs: toMs - DAY_MS, toMs });
    return decimalText(candles.reduce((sum, { volume }) => sum.plus(volume), decimal('0')));
  }

  private async funding(market: Market): Promise<NonNullable<ShownFigures['funding']>> {
    const { rate, nextAt } = await this.ports.venues.funding(market.venue, market.venueSymbol);
    return { rate, nextAt: nextAt === null ? null : isoTime(nextAt) };
  }

  private absent(market: Market, figure: string, error: unknown): null {
    this.log.warn({ err: error, venue: market.venue, symbol: market.symbol, figure }, 'a market\'s figure could not be read');
    return null;
  }
}

/** null when it takes longer than a price is worth waiting for; the read goes on, and the next price has its figure. */
async function soon<Value>(figure: Promise<Value | null>): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), MARKET_FIGURES_WAIT_MS);
  });
  try {
    return await Promise.race([figure, late]);
  } finally {
    clearTimeout(timer);
  }
}
