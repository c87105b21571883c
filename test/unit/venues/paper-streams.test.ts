import { afterEach, describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { PrivateMessage, PublicMessage } from '../../../src/domain/venue';
import { closeAll, errorOf, paper } from './paper-server';

afterEach(closeAll);

describe('streams of the paper venue', () => {
  const acknowledge = (socket: WebSocket, frame: string): void => {
    const { op, channel, symbol } = JSON.parse(frame) as { op: string; channel?: string; symbol?: string };
    if (op === 'auth') socket.send(JSON.stringify({ op: 'auth', ok: true }));
    if (op === 'subscribe') socket.send(JSON.stringify({ op: 'subscribed', channel, symbol, sequence: 0 }));
    if (op === 'ping') socket.send(JSON.stringify({ op: 'pong', time: 1 }));
  };

  test('frames for another kind of stream are passed over', async () => {
    const frames = [
      { channel: 'ticker', symbol: 'BTC-PERP', sequence: 1, previousSequence: 0, time: 5, bid: '1', ask: '2', last: null, mark: '1.50' },
      { channel: 'account', sequence: 1, previousSequence: 0, time: 5, event: { kind: 'keyRevoked' } },
      { op: 'pong', time: 1 },
    ];
    const send = (socket: WebSocket, frame: string): void => {
      acknowledge(socket, frame);
      if (frame.includes('"channel":"account"') || frame.includes('"channel":"trades"')) for (const each of frames) socket.send(JSON.stringify(each));
    };
    const { venue, session } = await paper(undefined, send);
    const [privately, publicly]: [PrivateMessage[], PublicMessage[]] = [[], []];
    await new Promise<void>((resolve) => {
      const heard = (): void => {
        if (privately.length > 0 && publicly.length > 0) resolve();
      };
      session.streamPrivate((message) => {
        privately.push(message);
        heard();
      });
      venue.streamPublic(['BTC-PERP'], (message) => {
        publicly.push(message);
        heard();
      });
    });
    expect(privately).toEqual([{ kind: 'keyRevoked', atMs: 5 }]);
    expect(publicly).toEqual([{ kind: 'ticker', ticker: { venue: 'paper2', symbol: 'BTC-PERP', bid: '1', ask: '2', last: null, mark: '1.5', at: 5 } }]);
  });

  test('a funding payment is passed over: it is read by its query, and shows as balance and position', async () => {
    const funding = { id: '7', symbol: 'BTC-PERP', quantity: '1', markPrice: '97000', rate: '0.0001', amount: '-9.70', asset: 'USDC', time: 5 };
    const frames = [{ kind: 'funding', funding }, { kind: 'balance', balance: { asset: 'USDC', total: '90.30', available: '1', locked: '0' } }];
    const { session } = await paper(undefined, (socket, frame) => {
      acknowledge(socket, frame);
      if (!frame.includes('"channel":"account"')) return;
      frames.forEach((event, index) => socket.send(JSON.stringify({ channel: 'account', sequence: index + 1, previousSequence: index, time: 5, event })));
    });
    const heard = await new Promise<PrivateMessage[]>((resolve) => {
      const messages: PrivateMessage[] = [];
      session.streamPrivate((message) => {
        messages.push(message);
        if (message.kind === 'balance') resolve(messages);
      });
    });
    expect(heard).toMatchObject([{ kind: 'balance', balance: { total: '90.3' } }]);
  });

  test.each([
    ['an object', { code: 'UNAUTHORIZED', message: 'unknown key' }],
    ['a text', 'UNAUTHORIZED'],
  ])('a refusal for good, told as %s, ends the stream', async (_how, error) => {
    const { session } = await paper(undefined, (socket) => socket.send(JSON.stringify({ op: 'auth', ok: false, error })));
    const heard: PrivateMessage[] = [];
    expect(await errorOf(session.streamPrivate((message) => heard.push(message)).ready)).toMatchObject({ name: 'VenueRefused', venueCode: 'UNAUTHORIZED' });
    expect(heard).toMatchObject([{ kind: 'keyRevoked' }]);
  });

  test.each([
    ['an authentication that failed for another reason', { op: 'auth', ok: false, error: { code: 'RATE_LIMITED', message: 'later' } }, 'RATE_LIMITED: later'],
    ['an authentication that failed without a reason', { op: 'auth', ok: false }, 'UNKNOWN: no reason given'],
    ['an error', { op: 'error', error: 'BAD_REQUEST' }, 'BAD_REQUEST: BAD_REQUEST'],
  ])('after %s it is tried again', async (_what, frame, reason) => {
    let connections = 0;
    const { session, events } = await paper(undefined, (socket, text) => {
      if (text.includes('"op":"auth"')) connections += 1;
      if (connections === 1) socket.send(JSON.stringify(frame));
      else acknowledge(socket, text);
    });
    await session.streamPrivate(() => undefined).ready;
    expect(connections).toBe(2);
    expect(events).toContainEqual({ kind: 'failed', venue: 'paper2', reason: `the stream answered ${reason}` });
  });

  test('end with the venue', async () => {
    const { venue, session } = await paper(undefined, acknowledge);
    const streams = [session.streamPrivate(() => undefined), venue.streamPublic(['BTC-PERP'], () => undefined)];
    await Promise.all(streams.map(({ ready }) => ready));
    streams[0]?.close();
    const late = session.streamPrivate(() => undefined);
    await venue.close();
    expect(await errorOf(late.ready)).toMatchObject({ reason: 'canceled' });
  });
});
