/** What was: closed orders, fills and funding of one user, page by page. */
import type { FillsPage, FundingPaymentsPage, ReadOptions, VenueFill, VenueOrder } from '../../domain/venue';
import { HistoryCut, VenueOutcomeUnknown } from '../../domain/venue-errors';
import type { HyperliquidClient } from './client';
import { fundingPayment, isTraded, toFill, toOrder, UnknownWord } from './normalize';
import * as wire from './schemas';

/** Of all fills of an account only so many newest can be read. */
const FILL_HISTORY = 10_000;
const ORDER_HISTORY = 2_000;
/** Most funding payments of one answer. */
const FUNDINGS_PER_PAGE = 500;

export interface HistoryParts {
  readonly client: HyperliquidClient;
  readonly options: Pick<wire.HyperliquidOptions, 'fillsPerPage' | 'dexes'>;
  readonly tellDrift: (what: string) => boolean;
  readonly collateralOf: (dex: string) => string;
}

export class HyperliquidHistory {
  constructor(
    private readonly venue: string,
    private readonly user: string,
    private readonly parts: HistoryParts,
  ) {}

  async closedOrders(sinceMs: number, options: ReadOptions): Promise<readonly VenueOrder[]> {
    const states = await this.parts.client.info({ type: 'historicalOrders', user: this.user }, wire.orderStatesSchema, options);
    const oldest = states.at(-1);
    // The newest first: an amended order's earlier ids come after the one that took their place.
    const seen = new Set<string>();
    const orders = states.filter(({ order }) => this.isOurs(order.coin)).flatMap((state) => this.known(state)).filter(({ venueClientId }) => venueClientId === null || (!seen.has(venueClientId) && seen.add(venueClientId) !== undefined));
    const closed = orders.filter(({ status, updatedAtMs }) => status !== 'open' && updatedAtMs >= sinceMs).reverse();
    if (states.length < ORDER_HISTORY || oldest === undefined || oldest.statusTimestamp <= sinceMs) return closed;
    throw new HistoryCut(this.venue, `${this.venue} shows only the newest ${ORDER_HISTORY} orders, back to ${oldest.statusTimestamp}; ask for a later time`, closed);
  }

  /** The cursor holds the time to go on from, how many were read, and which fills of that very time are known. */
  async fillsSince(sinceMs: number, cursor: string | null, options: ReadOptions): Promise<FillsPage> {
    const from = cursor === null ? { atMs: sinceMs, read: 0, firstMs: null, known: [] as string[] } : (JSON.parse(cursor) as { atMs: number; read: number; firstMs: number | null; known: string[] });
    const { fillsPerPage } = this.parts.options;
    const page = (await this.parts.client.info({ type: 'userFillsByTime', user: this.user, startTime: from.atMs }, wire.fillsSchema, options)).slice(0, fillsPerPage);
    const fresh = page.map(toFill).filter((fill) => !from.known.includes(fillKey(fill)));
    const fills = fresh.filter(({ venueSymbol }) => this.isOurs(venueSymbol));
    const read = from.read + fresh.length;
    const firstMs = from.firstMs ?? page[0]?.time ?? null;
    const lastMs = page.at(-1)?.time;
    if (page.length < fillsPerPage || lastMs === undefined) return { fills, next: null, truncatedBeforeMs: read >= FILL_HISTORY ? firstMs : null };
    if (fresh.length === 0) throw new VenueOutcomeUnknown(this.venue, `${this.venue}: more than ${fillsPerPage} fills of one millisecond cannot be read`, 'unreadable');
    const known = page.filter(({ time }) => time === lastMs).map((fill) => fillKey(toFill(fill)));
    return { fills, next: JSON.stringify({ atMs: lastMs, read, firstMs, known }), truncatedBeforeMs: null };
  }

  /** The next page begins with the last one's instant: a payment told twice has one name. */
  async fundingPayments(sinceMs: number, cursor: string | null, options: ReadOptions): Promise<FundingPaymentsPage> {
    const from = cursor === null ? sinceMs : Number(cursor);
    const page = await this.parts.client.info({ type: 'userFunding', user: this.user, startTime: from }, wire.userFundingsSchema, options);
    const payments = page.filter(({ delta }) => this.isOurs(delta.coin)).map(({ time, delta }) => fundingPayment({ ...delta, time }, this.parts.collateralOf));
    const lastMs = page.at(-1)?.time;
    return { payments, next: page.length < FUNDINGS_PER_PAGE || lastMs === undefined || lastMs <= from ? null : String(lastMs) };
  }

  private isOurs(coin: string): boolean {
    return isTraded(coin, this.parts.options.dexes);
  }

  /** Nothing is concluded from an order in a state nobody knows. */
  private known(state: wire.HyperliquidOrderState): VenueOrder[] {
    try {
      return [toOrder(state)];
    } catch (error) {
      if (!(error instanceof UnknownWord)) throw error;
      this.parts.tellDrift(`historicalOrders: ${error.message}`);
      return [];
    }
  }
}

function fillKey({ venueFillId, side, venueOrderId }: VenueFill): string {
  return `${venueFillId}/${side}/${venueOrderId}`;
}
