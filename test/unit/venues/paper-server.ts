/** A venue that answers whatever a test wants, right or wrong, and the paper adapter that speaks to it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock } from '../../../src/domain/clock';
import type { VenueAccountSession } from '../../../src/domain/venue';
import { PaperVenue } from '../../../src/venues/paper/venue';
import type { SocketEvent } from '../../../src/venues/socket';

export type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;
const closers: (() => Promise<void>)[] = [];

/** To be called after each test. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export async function paper(handler: Handler = () => undefined, onSocket: (socket: WebSocket, frame: string) => void = () => undefined): Promise<{ venue: PaperVenue; session: VenueAccountSession; asked: string[]; events: SocketEvent[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => {
      asked.push(`${request.method} ${request.url}`);
      handler(request, body, response);
    });
  });
  const sockets = new WebSocketServer({ server, path: '/ws' });
  sockets.on('connection', (socket: WebSocket) => socket.on('message', (data: Buffer) => onSocket(socket, data.toString())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const events: SocketEvent[] = [];
  const venue = new PaperVenue({ name: 'paper2', httpUrl: url, wsUrl: url.replace('http', 'ws'), options: { readTimeoutMs: 5_000 }, clock: systemClock, onSocketEvent: (event) => events.push(event) });
  closers.push(async () => {
    await venue.close();
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return { venue, session: venue.session({ key: 'sesame' }), asked, events };
}

export const reply = (status: number, body: unknown, headers: Record<string, string> = {}): Handler => (_request, _body, response) => void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));

/** The error a call ends with. */
export const errorOf = (running: Promise<unknown>): Promise<unknown> => running.then((value) => Promise.reject(new Error(`expected an error, got ${JSON.stringify(value)}`)), (error: unknown) => error);
