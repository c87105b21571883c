/** /ws of the paper venue: authentication, subscriptions, pings. */
import type { WebSocket } from 'ws';
import { PaperError } from '../errors';
import { type PaperVenue, hashKey } from '../paper-venue';
import type { StreamClient } from '../stream-hub';
import { type Fields, readFields } from './fields';

/** Largest message a client may send: an authentication or a subscription. */
export const MAX_CLIENT_MESSAGE_BYTES = 4_096;

/** Serves one connection until it closes. */
export function serveStream(venue: PaperVenue, socket: WebSocket): void {
  const client = venue.hub.add(socket);
  socket.on('close', () => venue.hub.remove(client));
  // The socket closes itself after an error (a malformed frame, a reset): there is nothing else to do here.
  socket.on('error', () => venue.hub.remove(client));
  socket.on('message', (data: Buffer) => {
    try {
      answer(venue, client, readFields(JSON.parse(data.toString('utf8'))));
    } catch (error) {
      const refusal = error instanceof PaperError ? error : new PaperError('BAD_REQUEST', 'expected a JSON object');
      venue.hub.reply(client, { op: 'error', error: refusal.body() });
    }
  });
}

function answer(venue: PaperVenue, client: StreamClient, fields: Fields): void {
  switch (fields.oneOf('op', ['auth', 'subscribe', 'ping'])) {
    case 'ping':
      venue.hub.reply(client, { op: 'pong', time: venue.clock.now() });
      break;
    case 'auth':
      authenticate(venue, client, fields);
      break;
    case 'subscribe':
      subscribe(venue, client, fields);
      break;
  }
}

function authenticate(venue: PaperVenue, client: StreamClient, fields: Fields): void {
  try {
    const key = fields.optionalText('key');
    client.account = venue.authenticate(key).name;
    client.keyHash = hashKey(key ?? '');
    venue.background();
    venue.hub.reply(client, { op: 'auth', ok: true });
  } catch (error) {
    if (!(error instanceof PaperError)) throw error;
    venue.hub.reply(client, { op: 'auth', ok: false, error: error.body() });
  }
}

function subscribe(venue: PaperVenue, client: StreamClient, fields: Fields): void {
  const channel = fields.oneOf('channel', ['account', 'book', 'trades', 'ticker']);
  if (channel === 'account') {
    if (client.account === null) throw new PaperError('UNAUTHORIZED', 'send op auth with the account key first');
    const account = venue.exchange.state.account(client.account);
    venue.hub.subscribe(client, `account:${account.name}`);
    venue.hub.reply(client, { op: 'subscribed', channel, sequence: venue.publishedSequence(account) });
    return;
  }
  const symbol = fields.text('symbol');
  const { book } = venue.exchange.state.venue(symbol);
  // What changed in this very step goes out first, so that the snapshot is not followed by what it already holds.
  venue.background();
  venue.hub.subscribe(client, `${channel}:${symbol}`);
  const data = venue.marketData;
  const sequence = channel === 'book' ? book.sequence : channel === 'ticker' ? data.tickerSequence(symbol) : data.tradeSequence(symbol);
  venue.hub.reply(client, { op: 'subscribed', channel, symbol, sequence });
  if (channel === 'book') venue.hub.sendFrame(client, 'book', null, data.snapshotMessage(symbol));
  if (channel === 'ticker') venue.hub.sendFrame(client, 'ticker', null, data.tickerMessage(symbol));
}
