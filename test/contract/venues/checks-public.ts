/** What a venue's adapter must tell of its markets. */
import assert from 'node:assert/strict';
import { decimal, isPlainDecimal } from '../../../src/domain/decimal';
import { quantise } from '../../../src/domain/quantise';
import type { PublicMessage } from '../../../src/domain/venue';
import { acknowledged } from './checks-orders';
import type { ContractCheck } from './contract';
import { hasQuirk, Heard, marketOrderFor, orderFor, place, reading } from './harness';

type Book = Extract<PublicMessage, { kind: 'book' }>;

function applyLevels(levels: Map<string, string>, changes: Book['bids']): void {
  for (const [price, quantity] of changes) {
    if (quantity === '0') levels.delete(price);
    else levels.set(price, quantity);
  }
}

export const PUBLIC_CHECKS: readonly ContractCheck[] = [
  {
    name: 'markets are listed once each, with rules an order can be judged by',
    run: async (harness) => {
      const markets = await harness.venue.markets(reading());
      assert.equal(new Set(markets.map(({ symbol }) => symbol)).size, markets.length);
      const market = markets.find(({ venueSymbol }) => venueSymbol === harness.symbol);
      assert.ok(market);
      assert.equal(market.venue, harness.venue.name);
      for (const value of [market.lot, market.minQuantity, market.minNotional, market.maxLeverage, market.makerFeeRate, market.takerFeeRate]) assert.ok(isPlainDecimal(value));
      const { quantity, limitPrice } = orderFor(harness);
      assert.equal(quantise(market, { quantity, limitPrice, referencePrice: null }).kind, 'ok');
    },
  },
  {
    name: 'the book runs from best to worst, as deep as asked, around the ticker',
    run: async (harness) => {
      const book = await harness.venue.orderBook(harness.symbol, 5, reading());
      assert.deepEqual([book.symbol, book.bids.length, book.asks.length], [harness.symbol, 5, 5]);
      const prices = (levels: readonly (readonly [string, string])[]): number[] => levels.map(([price]) => Number(price));
      assert.deepEqual(prices(book.bids), prices(book.bids).sort((a, b) => b - a));
      assert.deepEqual(prices(book.asks), prices(book.asks).sort((a, b) => a - b));
      const ticker = (await harness.venue.tickers(reading())).find(({ symbol }) => symbol === harness.symbol);
      assert.equal(ticker?.venue, harness.venue.name);
      const [bid, ask] = [book.bids[0]?.[0] ?? '', book.asks[0]?.[0] ?? ''];
      assert.ok(decimal(bid).lessThan(ask));
      // A list of all markets may come without best prices: then its mark lies between them.
      if (ticker?.bid === null) assert.ok(decimal(ticker.mark ?? '').greaterThan(bid) && decimal(ticker.mark ?? '').lessThan(ask));
      else assert.deepEqual([ticker?.bid, ticker?.ask], [bid, ask]);
    },
  },
  {
    name: 'trades, candles and funding are told',
    run: async (harness) => {
      const { session } = await harness.account();
      const order = acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      const [trade] = (await harness.venue.trades(harness.symbol, 100, reading())).filter(({ price, quantity }) => price === order.avgPrice && quantity === harness.quantity);
      assert.deepEqual([trade?.side, (trade?.at ?? 0) > 0], ['buy', true]);
      const toMs = (await harness.venue.venueTimeMs(reading())) + 1_000;
      const candles = await harness.venue.candles(harness.symbol, 60_000, toMs - 600_000, toMs, reading());
      const candle = candles.at(-1);
      assert.ok(candle && decimal(candle.high).greaterThanOrEqualTo(candle.low) && candle.at > 0 && isPlainDecimal(candle.volume));
      const funding = await harness.venue.funding(harness.symbol, reading());
      assert.deepEqual([funding.symbol, isPlainDecimal(funding.rate)], [harness.symbol, true]);
    },
  },
  {
    name: 'the public stream brings tickers and trades, and a book that equals the one read',
    run: async (harness) => {
      const { session } = await harness.account();
      const heard = new Heard<PublicMessage>(harness);
      const stream = harness.venue.streamPublic([harness.symbol], heard.take);
      try {
        await stream.ready;
        const order = acknowledged(await place(harness, session, [marketOrderFor(harness)]));
        await heard.until('the trade', (message) => message.kind === 'trades' && message.symbol === harness.symbol && message.trades.some(({ price, quantity }) => price === order.avgPrice && quantity === harness.quantity));
        await harness.control.movePrice(harness.symbol, '97100');
        const read = await harness.venue.orderBook(harness.symbol, 500, reading());
        await heard.until('the ticker', (message) => message.kind === 'ticker' && message.ticker.symbol === harness.symbol && message.ticker.bid === read.bids[0]?.[0]);
        await heard.until('the book', (message) => message.kind === 'book' && message.sequence >= read.sequence);
        const [bids, asks] = [new Map<string, string>(), new Map<string, string>()];
        for (const message of heard.messages) {
          if (message.kind !== 'book' || message.sequence > read.sequence) continue;
          if (message.type === 'snapshot') [bids, asks].forEach((side) => side.clear());
          applyLevels(bids, message.bids);
          applyLevels(asks, message.asks);
        }
        assert.deepEqual(bids, new Map(read.bids));
        assert.deepEqual(asks, new Map(read.asks));
      } finally {
        stream.close();
      }
    },
  },
  {
    name: 'a lost message of the book is told as a gap, and a new snapshot follows',
    run: async (harness) => {
      // Where each message is the whole book, the next one heals.
      if (hasQuirk(harness, 'unsequencedStreams')) return;
      const heard = new Heard<PublicMessage>(harness);
      const stream = harness.venue.streamPublic([harness.symbol], heard.take);
      try {
        await stream.ready;
        await heard.until('the first snapshot', (message) => message.kind === 'book' && message.type === 'snapshot');
        heard.forget();
        await harness.control.dropBookMessage();
        await harness.control.movePrice(harness.symbol, '97200');
        await harness.control.movePrice(harness.symbol, '97300');
        await heard.until('the gap', (message) => message.kind === 'gap');
        const snapshot = await heard.until('the new snapshot', (message): message is Book => message.kind === 'book' && message.type === 'snapshot');
        assert.deepEqual(heard.messages.filter((message) => message.kind === 'book').slice(0, 1), [snapshot], 'no difference is passed on before it');
      } finally {
        stream.close();
      }
    },
  },
];
