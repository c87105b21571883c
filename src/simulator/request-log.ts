/** Every request the venue saw, for tests that count. The newest are kept whole; the counts are kept for ever. */
const MAX_KEPT = 20_000;

export interface LoggedRequest {
  readonly id: number;
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly account: string | null;
  readonly clientIds: readonly string[];
  /** Null until the answer is decided (a held request). */
  status: number | null;
  fault?: string;
}

export interface RequestFilter {
  readonly method?: string;
  readonly path?: string;
  readonly account?: string;
  /** Venue time, inclusive. */
  readonly since?: number;
}

export class RequestLog {
  private kept: LoggedRequest[] = [];
  private readonly counts = new Map<string, { method: string; path: string; account: string | null; count: number }>();
  private nextId = 1;

  add(facts: Omit<LoggedRequest, 'id' | 'status' | 'fault'>): LoggedRequest {
    const entry: LoggedRequest = { id: this.nextId, ...facts, status: null };
    this.nextId += 1;
    this.kept.push(entry);
    if (this.kept.length > MAX_KEPT * 2) this.kept = this.kept.slice(-MAX_KEPT);
    const key = `${facts.method} ${facts.path} ${facts.account ?? ''}`;
    const counted = this.counts.get(key);
    if (counted !== undefined) counted.count += 1;
    else this.counts.set(key, { method: facts.method, path: facts.path, account: facts.account, count: 1 });
    return entry;
  }

  find(filter: RequestFilter): { requests: LoggedRequest[]; count: number } {
    const requests = this.kept.filter((entry) => matches(entry, filter) && entry.time >= (filter.since ?? -Infinity));
    if (filter.since !== undefined) return { requests, count: requests.length };
    let count = 0;
    for (const counted of this.counts.values()) if (matches(counted, filter)) count += counted.count;
    return { requests, count };
  }
}

function matches(entry: { method: string; path: string; account: string | null }, filter: RequestFilter): boolean {
  if (filter.method !== undefined && entry.method !== filter.method) return false;
  if (filter.path !== undefined && entry.path !== filter.path) return false;
  return filter.account === undefined || entry.account === filter.account;
}
