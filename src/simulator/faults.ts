/** Faults that tests arm at the venue: what they are, which request or frame they meet, how often. */
import { randomUUID } from 'node:crypto';
import { PaperError } from './errors';
import { type Fields, readFields } from './wire/fields';

/** Kinds that act on one HTTP request. */
const REQUEST_KINDS = ['refuse', 'delay', 'dropResponse', 'errorAfterAccept', 'rateLimit', 'hold'] as const;
/** Kinds that act on frames of the stream. */
const STREAM_KINDS = ['closeStream', 'stallStream', 'dropMessages', 'duplicateMessages', 'reorderMessages'] as const;
/** Kinds that change what the venue shows or says while they are armed. */
const STATE_KINDS = ['hide', 'truncateHistory', 'revokeKey', 'skewClock'] as const;

export type FaultKind = (typeof REQUEST_KINDS)[number] | (typeof STREAM_KINDS)[number] | (typeof STATE_KINDS)[number];

/** Kinds that stay until they are deleted unless a count is given. The others act once. */
const UNCOUNTED: readonly FaultKind[] = ['stallStream', 'hide', 'truncateHistory', 'revokeKey', 'skewClock'];

/** How many armed faults a venue holds: far above any test's, so a loop that arms without end is noticed. */
const MAX_ARMED = 10_000;

export interface FaultMatch {
  readonly method?: string;
  readonly path?: string;
  readonly account?: string;
  readonly clientId?: string;
  readonly channel?: string;
}

/** The parameters of all kinds; arming checks that a kind has its own. */
export interface FaultParameters {
  readonly code?: string;
  readonly message?: string;
  readonly status?: number;
  readonly delayMs?: number;
  readonly retryAfterSeconds?: number;
  readonly durationMs?: number;
  readonly clientId?: string;
  readonly before?: boolean | number;
  readonly key?: string;
  readonly offsetMs?: number;
}

export interface Fault extends FaultParameters {
  readonly id: string;
  readonly kind: FaultKind;
  readonly match: FaultMatch;
  /** Uses left; Infinity when it stays until deleted. */
  left: number;
  hits: number;
}

const REQUIRED: Partial<Record<FaultKind, readonly (keyof FaultParameters)[]>> = {
  refuse: ['code', 'message'],
  delay: ['delayMs'],
  errorAfterAccept: ['status'],
  rateLimit: ['retryAfterSeconds'],
  hide: ['durationMs'],
  stallStream: ['durationMs'],
  truncateHistory: ['before'],
  revokeKey: ['key'],
  skewClock: ['offsetMs'],
};

export interface RequestFacts {
  readonly method: string;
  readonly path: string;
  readonly account: string | null;
  readonly clientIds: readonly string[];
}

export class Faults {
  private readonly armed = new Map<string, Fault>();
  private readonly delayed = new Set<() => void>();
  private readonly held = new Map<string, (() => void)[]>();
  /** Of disarmed faults too: a test may ask after the last use. */
  private readonly hitCounts = new Map<string, number>();
  private readonly watchers = new Set<() => void>();

  /** Arms the fault a control request describes. Throws BAD_REQUEST saying what is missing. */
  arm(body: unknown): Fault {
    if (this.armed.size >= MAX_ARMED) throw new PaperError('BAD_REQUEST', `${MAX_ARMED} faults are armed; DELETE /__sim/faults removes them`);
    const fields = readFields(body);
    const kind = fields.oneOf('kind', [...REQUEST_KINDS, ...STREAM_KINDS, ...STATE_KINDS]);
    const parameters = readParameters(fields);
    for (const name of REQUIRED[kind] ?? []) {
      if (parameters[name] === undefined) throw new PaperError('BAD_REQUEST', `a ${kind} fault needs ${name}`);
    }
    const count = fields.optionalInteger('count', 1);
    const match = readMatch(fields);
    const fault: Fault = {
      ...parameters,
      id: randomUUID(),
      kind,
      match,
      left: count ?? (UNCOUNTED.includes(kind) ? Infinity : 1),
      hits: 0,
    };
    this.armed.set(fault.id, fault);
    return fault;
  }

  list(): Fault[] {
    return [...this.armed.values()];
  }

  ofKind(kind: FaultKind): Fault[] {
    return this.list().filter((fault) => fault.kind === kind);
  }

  /** Disarms a fault and lets go what it holds; false if there is none. */
  remove(id: string): boolean {
    const known = this.armed.delete(id) || this.held.has(id);
    this.release(id);
    return known;
  }

  removeAll(): void {
    for (const id of new Set([...this.armed.keys(), ...this.held.keys()])) this.remove(id);
    for (const finish of [...this.delayed]) finish();
  }

  /**
   * The request faults that meet a request, in the order armed, each used once. The first that refuses the request ends the
   * list: what comes after it never sees the request.
   */
  forRequest(facts: RequestFacts): Fault[] {
    if (this.armed.size === 0) return [];
    const met: Fault[] = [];
    for (const fault of this.armed.values()) {
      if (!(REQUEST_KINDS as readonly string[]).includes(fault.kind) || !meets(fault.match, facts)) continue;
      met.push(fault);
      this.use(fault);
      if (fault.kind === 'refuse' || fault.kind === 'rateLimit') break;
    }
    return met;
  }

  /** The first armed stream fault that meets a frame; not yet used. */
  forFrame(account: string | null, channel: string): Fault | null {
    if (this.armed.size === 0) return null;
    for (const fault of this.armed.values()) {
      if (!(STREAM_KINDS as readonly string[]).includes(fault.kind) || fault.kind === 'closeStream') continue;
      // Market data would use up a count before the private frame it was meant for.
      if ((fault.match.channel ?? 'account') !== channel) continue;
      if (fault.match.account !== undefined && fault.match.account !== account) continue;
      return fault;
    }
    return null;
  }

  /** Counts one use; the fault is disarmed with its last. */
  use(fault: Fault): void {
    fault.left -= 1;
    if (fault.left <= 0) this.armed.delete(fault.id);
  }

  /** Says that a fault has taken effect: who waits for its hits is told. */
  hit(fault: Fault): void {
    fault.hits += 1;
    this.hitCounts.set(fault.id, fault.hits);
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Waits until the fault is released (or removed). */
  hold(fault: Fault): Promise<void> {
    return new Promise((resolve) => {
      this.held.set(fault.id, [...(this.held.get(fault.id) ?? []), resolve]);
      this.hit(fault);
    });
  }

  /** Waits the fault's delay, or until all faults are disarmed. */
  async delay(fault: Fault): Promise<void> {
    this.hit(fault);
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.delayed.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, fault.delayMs);
      this.delayed.add(finish);
    });
  }

  /** Lets go every request the fault holds and disarms it; returns how many. */
  release(id: string): number {
    const waiting = this.held.get(id) ?? [];
    this.held.delete(id);
    this.armed.delete(id);
    for (const resume of waiting) resume();
    return waiting.length;
  }

  holding(id: string): number {
    return this.held.get(id)?.length ?? 0;
  }

  /** Waits until the fault was hit `count` times, or `timeoutMs` passed; returns its hits (0 for one never known). */
  waitForHits(id: string, count: number, timeoutMs: number): Promise<number> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.watchers.delete(check);
        resolve(this.hitCounts.get(id) ?? 0);
      };
      const check = (): void => {
        if ((this.hitCounts.get(id) ?? 0) >= count) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.watchers.add(check);
      check();
    });
  }
}

function meets(match: FaultMatch, facts: RequestFacts): boolean {
  if (match.method !== undefined && match.method !== facts.method) return false;
  if (match.path !== undefined && match.path !== facts.path) return false;
  if (match.account !== undefined && match.account !== facts.account) return false;
  return match.clientId === undefined || facts.clientIds.includes(match.clientId);
}

function readParameters(fields: Fields): FaultParameters {
  const before = fields.value('before');
  if (before !== undefined && typeof before !== 'boolean' && typeof before !== 'number') {
    throw new PaperError('BAD_REQUEST', 'before must be true (hold, delay) or a time in milliseconds (truncateHistory)');
  }
  return {
    code: fields.optionalText('code'),
    message: fields.optionalText('message'),
    status: fields.optionalInteger('status', 400),
    delayMs: fields.optionalInteger('delayMs', 0),
    retryAfterSeconds: fields.optionalInteger('retryAfterSeconds', 0),
    durationMs: fields.optionalInteger('durationMs', 0),
    clientId: fields.optionalText('clientId'),
    before,
    key: fields.optionalText('key'),
    offsetMs: fields.optionalInteger('offsetMs', Number.MIN_SAFE_INTEGER),
  };
}

function readMatch(fields: Fields): FaultMatch {
  if (fields.value('match') === undefined) return {};
  const match = readFields(fields.value('match'));
  return {
    method: match.optionalText('method')?.toUpperCase(),
    path: match.optionalText('path'),
    account: match.optionalText('account'),
    clientId: match.optionalText('clientId'),
    channel: match.optionalText('channel'),
  };
}
