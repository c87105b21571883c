/**
 * The loopback hub of one host without Redis, owned by the supervisor: relays publications, keeps the newest value of each
 * retained topic for late joiners, holds the venues' request budgets. Only programs with its token may speak.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import { systemClock, type Clock } from '../../domain/clock';
import type { BudgetRequest, BudgetVerdict, RateBudget } from '../../domain/rate-budget';
import { LocalRateBudget } from '../../venues/local-rate-budget';
import { MAX_MESSAGE_BYTES, reasonOf } from './bus';
import { firstWord, LineReader, MAX_LINE_BYTES } from './hub-lines';
import { checkTopicOrPrefix, covers, isRetained, isTopic } from './topics';

/** Processes of one host: api, workers, watchers, and room for a person's tools. */
const MAX_CONNECTIONS = 64;
/** Whoever connects says who they are at once. */
const AUTHENTICATE_WITHIN_MS = 2_000;
/** Nothing but a token is read before that. */
const MAX_STRANGER_LINE_BYTES = 512;
/** A reader that lets so much pile up is stuck; it reconnects and is given the newest values. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
const MAX_SUBSCRIPTIONS = 10_000;
const MAX_RETAINED_TOPICS = 20_000;
/** Shorter tokens can be guessed. */
const MIN_TOKEN_LENGTH = 16;
const LOOPBACK = new Set(['127.0.0.1', '::1']);

const takeSchema = z.object({
  scope: z.string().min(1).max(160),
  rule: z.object({ capacity: z.number().positive(), refillPerSecond: z.number().positive(), reserve: z.number().min(0).lt(1) }),
  weight: z.number().positive(),
  class: z.enum(['entry', 'read', 'exit']),
  caller: z.boolean().optional(),
}) satisfies z.ZodType<BudgetRequest>;
const banSchema = z.object({ scope: z.string().min(1).max(160), untilMs: z.number().int() });

export interface HubOptions {
  /** What clients must send; at least 16 characters. */
  readonly token: string;
  /** 127.0.0.1 or ::1. */
  readonly host?: string;
  readonly port?: number;
  readonly clock?: Clock;
  readonly onReport?: (report: { readonly kind: 'refused' | 'dropped'; readonly reason: string }) => void;
}

export interface Hub {
  /** `tcp://127.0.0.1:<port>`, for SUREFILL_HUB_URL. */
  readonly url: string;
  close(): Promise<void>;
}

/** Settles when the hub listens. Rejects with RangeError on a weak token or an address that others could reach. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const host = options.host ?? '127.0.0.1';
  if (!LOOPBACK.has(host)) throw new RangeError(`the hub listens on 127.0.0.1 or ::1 only, not on ${host}`);
  if (options.token.length < MIN_TOKEN_LENGTH) throw new RangeError(`the hub's token must have at least ${MIN_TOKEN_LENGTH} characters`);
  const room = new Room(options.token, options.clock ?? systemClock, options.onReport ?? (() => undefined));
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => room.enter(socket));
  server.maxConnections = MAX_CONNECTIONS;
  await listening(server, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    room.close();
    await closed;
  };
  return { url: `tcp://${host === '::1' ? '[::1]' : host}:${port}`, close };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

interface Guest {
  readonly socket: Socket;
  readonly names: Set<string>;
  admitted: boolean;
}

class Room {
  private readonly guests = new Set<Guest>();
  private readonly newest = new Map<string, string>();
  private readonly tokenHash: Buffer;
  private readonly budget: RateBudget;
  /** Apart from the venues': however many callers come, no venue's budget is forgotten. */
  private readonly callers: RateBudget;

  constructor(
    token: string,
    clock: Clock,
    private readonly onReport: NonNullable<HubOptions['onReport']>,
  ) {
    this.tokenHash = hash(token);
    this.budget = new LocalRateBudget(clock);
    this.callers = new LocalRateBudget(clock, 1, true);
  }

  enter(socket: Socket): void {
    const guest: Guest = { socket, names: new Set(), admitted: false };
    this.guests.add(guest);
    const lines = new LineReader(() => (guest.admitted ? MAX_LINE_BYTES : MAX_STRANGER_LINE_BYTES));
    const timer = setTimeout(() => this.refuse(guest, 'said nothing of itself'), AUTHENTICATE_WITHIN_MS);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.read(chunk)) {
          if (socket.destroyed) return;
          if (guest.admitted) this.heard(guest, line);
          else this.admit(guest, line, timer);
        }
      } catch (error) {
        this.refuse(guest, reasonOf(error));
      }
    });
    // `close` always follows, and does the work.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      this.guests.delete(guest);
    });
  }

  close(): void {
    for (const { socket } of this.guests) socket.destroy();
  }

  private admit(guest: Guest, line: string, timer: NodeJS.Timeout): void {
    const [verb, token] = firstWord(line);
    // Hashes have one length, so that comparing them tells nothing of the token, its length included.
    if (verb !== 'H' || !timingSafeEqual(hash(token), this.tokenHash)) throw new Error('its token is wrong');
    clearTimeout(timer);
    guest.admitted = true;
    this.write(guest, 'A');
  }

  private heard(guest: Guest, line: string): void {
    const [verb, rest] = firstWord(line);
    if (verb === 'P') this.relay(line, rest);
    else if (verb === 'S') this.subscribe(guest, rest);
    else if (verb === 'U') guest.names.delete(rest);
    else if (verb === 'Q') this.write(guest, `V ${rest} {}`);
    else if (verb === 'T') this.answer(guest, rest, (request) => this.take(takeSchema.parse(request)));
    else if (verb === 'B') this.answer(guest, rest, (request) => this.ban(banSchema.parse(request)));
    else throw new Error(`an unknown verb ${JSON.stringify(verb.slice(0, 20))}`);
  }

  private relay(line: string, rest: string): void {
    const [topic, text] = firstWord(rest);
    if (!isTopic(topic) || text.length > MAX_MESSAGE_BYTES) throw new Error('a malformed publication');
    if (isRetained(topic) && (this.newest.has(topic) || this.newest.size < MAX_RETAINED_TOPICS)) this.newest.set(topic, text);
    for (const guest of this.guests) {
      for (const name of guest.names) {
        if (!covers(name, topic)) continue;
        // Once each, however many of its subscriptions cover the topic: the client hands it to all of them.
        this.write(guest, line);
        break;
      }
    }
  }

  private subscribe(guest: Guest, rest: string): void {
    const [id, name] = firstWord(rest);
    checkTopicOrPrefix(name);
    if (guest.names.size >= MAX_SUBSCRIPTIONS) throw new Error('too many subscriptions');
    guest.names.add(name);
    // In one turn with the subscription, so that no publication falls between.
    for (const [topic, text] of this.newest) if (covers(name, topic)) this.write(guest, `R ${id} ${topic} ${text}`);
    this.write(guest, `V ${id} {}`);
  }

  private answer(guest: Guest, rest: string, run: (request: unknown) => Promise<unknown>): void {
    const [id, text] = firstWord(rest);
    const answer = Promise.resolve()
      .then(() => run(JSON.parse(text)))
      .then(
        (value) => `V ${id} ${JSON.stringify(value)}`,
        (error: unknown) => `E ${id} ${JSON.stringify({ message: reasonOf(error) })}`,
      );
    void answer.then((line) => this.write(guest, line));
  }

  private take(request: BudgetRequest): Promise<BudgetVerdict> {
    return (request.caller === true ? this.callers : this.budget).take(request);
  }

  private async ban(request: z.infer<typeof banSchema>): Promise<Record<string, never>> {
    await this.budget.ban(request.scope, request.untilMs);
    return {};
  }

  private write(guest: Guest, line: string): void {
    if (guest.socket.destroyed) return;
    guest.socket.write(`${line}\n`);
    if (guest.socket.writableLength > MAX_UNREAD_BYTES) this.drop(guest, `left ${MAX_UNREAD_BYTES} bytes unread`);
  }

  private refuse(guest: Guest, reason: string): void {
    this.onReport({ kind: 'refused', reason });
    guest.socket.destroy();
  }

  private drop(guest: Guest, reason: string): void {
    this.onReport({ kind: 'dropped', reason });
    guest.socket.destroy();
  }
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
