/** Signal sources and signals in memory, by the rules of the store. */
import { randomUUID } from 'node:crypto';
import type { SignalSourcesPort, SignalsPort } from '../../src/api/signal-ports';
import { DomainError } from '../../src/domain/errors';
import type { ReceivedAlert, Signal, SignalEnd, SignalSource } from '../../src/domain/signal';
import type { FakeBackend } from './fake-backend';

interface Kept {
  readonly signal: Omit<Signal, 'orderId' | 'strategyId' | 'state'>;
  readonly key: string | null;
  readonly clientId: string | null;
  readonly dueMs: number;
}

export class FakeSignals {
  readonly kept = new Map<string, Kept>();
  private readonly known = new Map<string, { source: SignalSource; token: string; old: string | null }>();
  private tokens = 0;

  constructor(private readonly backend: FakeBackend) {}

  readonly sources: SignalSourcesPort = {
    create: async (userId, terms) => {
      if (this.backend.accounts.get(terms.accountId)?.userId !== userId) throw new DomainError('NOT_FOUND', `account ${terms.accountId} does not exist`);
      const source: SignalSource = { ...terms, id: randomUUID(), userId, status: 'enabled', oldTokenUntil: null, lastSignalAt: null, createdAt: this.backend.at(), updatedAt: this.backend.at() };
      return this.put(source, this.token(), null);
    },
    list: async (userId) => [...this.known.values()].map(({ source }) => source).filter((source) => source.userId === userId).reverse(),
    get: async (id, userId) => this.own(id, userId).source,
    change: async (id, userId, change) => {
      const { source, token, old } = this.own(id, userId);
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      return this.put({ ...source, ...given }, token, old).source;
    },
    rotateToken: async (id, userId, overlapSeconds) => {
      const { source, token } = this.own(id, userId);
      return this.put({ ...source, oldTokenUntil: new Date(this.backend.nowMs + overlapSeconds * 1_000).toISOString() }, this.token(), token);
    },
    remove: async (id, userId) => {
      const { source } = this.own(id, userId);
      this.known.delete(id);
      return source;
    },
    byToken: async (token) => {
      const found = [...this.known.values()].find((each) => each.token === token || (each.old === token && Date.parse(each.source.oldTokenUntil ?? '') > this.backend.nowMs));
      return found?.source ?? null;
    },
  };

  readonly signals: SignalsPort = {
    take: async (alert, leaseMs) => {
      const earlier = [...this.kept.values()].find(({ signal, key }) => signal.sourceId === alert.source.id && key === alert.alertId);
      if (earlier !== undefined) return { signal: this.shown(earlier), isNew: false };
      return { signal: this.keep(alert, 'taken', null, { key: alert.alertId, clientId: alert.clientId, dueMs: this.backend.nowMs + leaseMs }), isNew: true };
    },
    note: async (alert, end) => this.keep(alert, end.status, end, { key: null, clientId: null, dueMs: Infinity }),
    settle: async (id, end) => this.change(id, { ...end, settledAt: this.backend.at() }, Infinity),
    delay: async (id, { code, message }, untilMs) => this.change(id, { code, message }, untilMs),
    get: async (id, sourceId, userId) => {
      const kept = this.kept.get(id);
      if (kept === undefined || kept.signal.userId !== userId || kept.signal.sourceId !== sourceId) throw new DomainError('NOT_FOUND', 'no such signal');
      return this.shown(kept);
    },
    list: async ({ sourceId, userId, status }) => {
      this.own(sourceId, userId);
      return { signals: [...this.kept.values()].filter(({ signal }) => signal.sourceId === sourceId && (status === null || signal.status === status)).map((kept) => this.shown(kept)).reverse(), nextCursor: null };
    },
    due: async (limit, leaseMs) => {
      const due = [...this.kept.values()].filter(({ signal, dueMs }) => signal.status === 'taken' && dueMs <= this.backend.nowMs).slice(0, limit);
      return due.map(({ signal }) => this.change(signal.id, {}, this.backend.nowMs + leaseMs));
    },
  };

  readonly ports = { signalSources: this.sources, signals: this.signals } as const;

  private token(): string {
    this.tokens += 1;
    return `sig_${String(this.tokens).padStart(32, '0')}`;
  }

  private put(source: SignalSource, token: string, old: string | null): { source: SignalSource; token: string } {
    this.known.set(source.id, { source, token, old });
    return { source, token };
  }

  private own(id: string, userId: string): { source: SignalSource; token: string; old: string | null } {
    const found = this.known.get(id);
    if (found === undefined || found.source.userId !== userId) throw new DomainError('NOT_FOUND', 'no such signal source');
    return found;
  }

  private keep({ source, alertId, alert, address, request }: ReceivedAlert, status: Signal['status'], end: SignalEnd | null, more: Pick<Kept, 'key' | 'clientId' | 'dueMs'>): Signal {
    const nowMs = this.backend.nowMs;
    const kept: Kept = {
      ...more,
      signal: { id: randomUUID(), userId: source.userId, sourceId: source.id, accountId: source.accountId, kind: source.kind, alertId, status, code: end?.code ?? null, message: end?.message ?? null, alert, request, address, receivedAt: this.backend.at(), placeBefore: new Date(nowMs + source.maxDelaySeconds * 1_000).toISOString(), settledAt: end === null ? null : this.backend.at() },
    };
    this.kept.set(kept.signal.id, kept);
    return this.shown(kept);
  }

  private change(id: string, change: Partial<Kept['signal']>, dueMs: number): Signal {
    const kept = this.kept.get(id);
    if (kept === undefined) throw new Error(`no signal ${id}`);
    const after = kept.signal.status === 'taken' ? { ...kept, signal: { ...kept.signal, ...change }, dueMs } : kept;
    this.kept.set(id, after);
    return this.shown(after);
  }

  private shown({ signal, clientId }: Kept): Signal {
    const order = signal.kind === 'order' && clientId !== null ? this.backend.byClientId(signal.accountId, clientId) : null;
    const strategy = signal.kind === 'strategy' && clientId !== null ? ([...this.backend.supervision.strategies.values()].find((each) => each.accountId === signal.accountId && each.clientStrategyId === clientId) ?? null) : null;
    return { ...signal, orderId: order?.id ?? null, strategyId: strategy?.id ?? null, state: order?.state ?? strategy?.state ?? null };
  }
}
