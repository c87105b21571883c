/** What Hyperliquid's WebSocket frames mean of markets: books, trades and tickers, and the middles of all of them. */
import type { Ticker } from '../../domain/market';
import type { PublicMessage } from '../../domain/venue';
import type { SocketDialect, SocketFrame } from '../socket';
import { checked, frameOf, PING, read, subscriptionsOf, unknownField, type DialectParts, type TellDrift } from './dialects';
import { readBook, UnreadableMessage, type HotBook } from './hot-messages';
import { scanBook } from './hot-text';
import { canonical, indexPriceOf, toTrade } from './normalize';
import * as wire from './schemas';

/** Books (whole each time), trades and tickers of some coins. */
export function publicDialect(venue: string, coins: readonly string[], tellDrift: TellDrift): SocketDialect<PublicMessage> {
  const best = new Map<string, Omit<Ticker, 'venue' | 'symbol'>>();
  /** The newest time that the venue told. Its marks carry none: they are as new as what came before them. */
  let venueMs = 0;
  const book = ({ coin, time, bids, asks }: HotBook): PublicMessage => {
    venueMs = Math.max(venueMs, time);
    return { kind: 'book', symbol: coin, type: 'snapshot', bids, asks, sequence: time, atMs: time };
  };
  const ticker = (coin: string, change: Partial<Omit<Ticker, 'venue' | 'symbol'>> & Pick<Ticker, 'at'>): PublicMessage => {
    venueMs = Math.max(venueMs, change.at);
    const known = { ...(best.get(coin) ?? { bid: null, ask: null, mark: null, last: null, at: 0 }), ...change };
    best.set(coin, known);
    return { kind: 'ticker', ticker: { venue, symbol: coin, ...known } };
  };
  const parts: DialectParts<PublicMessage> = {
    subscriptions: coins.flatMap((coin) => ['l2Book', 'trades', 'bbo', 'activeAssetCtx'].map((type) => ({ type, coin }))),
    gap: (reason, missingForMs) => ({ kind: 'gap', reason, missingForMs }),
    tellDrift,
    messages: (channel, data, told) => {
      switch (channel) {
        case 'l2Book':
          return [book(readBook(data, (path) => told(unknownField(path))))];
        case 'bbo': {
          const { coin, time, bbo } = checked(wire.bboSchema, data, told);
          return [ticker(coin, { bid: bbo[0] === null ? null : canonical(bbo[0].px), ask: bbo[1] === null ? null : canonical(bbo[1].px), at: time })];
        }
        case 'activeAssetCtx': {
          const { coin, ctx } = checked(wire.streamContextSchema, data, told);
          const prices = { mark: canonical(ctx.markPx), index: indexPriceOf(ctx) };
          if (best.has(coin)) return [ticker(coin, { ...prices, at: venueMs })];
          best.set(coin, { bid: null, ask: null, last: null, at: 0, ...prices });
          return [];
        }
        case 'trades': {
          const trades = checked(wire.tradesSchema, data, told);
          const coin = trades[0]?.coin;
          const last = trades.at(-1);
          return coin === undefined || last === undefined ? [] : [{ kind: 'trades', symbol: coin, trades: trades.map(toTrade) }, ticker(coin, { last: canonical(last.px), at: last.time })];
        }
        default:
          throw new UnreadableMessage('unknown channel');
      }
    },
  };
  const heard = (text: string): SocketFrame<PublicMessage> => {
    const scanned = scanBook(text);
    return scanned === null ? read(text, parts, () => ({ kind: 'ignored' })) : frameOf('l2Book', [book(scanned)]);
  };
  return { authentication: () => null, subscriptions: subscriptionsOf(parts.subscriptions), ping: () => PING, read: heard, gap: parts.gap, refused: () => null, policy: () => 'facts' };
}

/** Middles of every coin of some dexes; null tells that none is known any more. */
export function midsDialect(dexes: readonly string[], tellDrift: TellDrift): SocketDialect<Readonly<Record<string, string>> | null> {
  const parts: DialectParts<Readonly<Record<string, string>> | null> = {
    subscriptions: ['', ...dexes].map((dex) => ({ type: 'allMids', ...(dex === '' ? {} : { dex }) })),
    gap: () => null,
    tellDrift,
    messages: (channel, data, told) => {
      if (channel !== 'allMids') throw new UnreadableMessage('unknown channel');
      return [checked(wire.streamMidsSchema, data, told).mids];
    },
  };
  return { authentication: () => null, subscriptions: subscriptionsOf(parts.subscriptions), ping: () => PING, read: (text) => read(text, parts, () => ({ kind: 'ignored' })), gap: parts.gap, refused: () => null, policy: () => 'facts' };
}
