/** API keys in memory, by the rules of the store. */
import { randomUUID } from 'node:crypto';
import type { ApiKey, ApiKeysPort, Identity, MadeApiKey } from '../../src/api/ports';
import { callRateOf, CALL_KINDS } from '../../src/domain/call-rate';
import { DomainError } from '../../src/domain/errors';

export class FakeApiKeys implements ApiKeysPort {
  private readonly rows = new Map<string, { key: ApiKey; userId: string; plain: string }>();

  constructor(
    private readonly nowMs: () => number,
    private readonly identities: Map<string, Identity>,
  ) {}

  /** Whether a key that was made here still works; others are not ours to judge. */
  works(plain: string): boolean {
    const row = [...this.rows.values()].find((each) => each.plain === plain);
    return row === undefined || this.isAlive(row.key);
  }

  async create(key: Parameters<ApiKeysPort['create']>[0], _actor: string): Promise<MadeApiKey> {
    return this.insert(key.userId, { ...key, rotatedFrom: null });
  }

  async list(userId: string): Promise<readonly ApiKey[]> {
    return [...this.rows.values()].filter((row) => row.userId === userId).map(({ key }) => key).reverse();
  }

  async rotate(id: string, userId: string, overlapSeconds: number): Promise<MadeApiKey> {
    const { key } = this.own(id, userId);
    if (!this.isAlive(key)) throw new DomainError('CONFLICT', 'this key has ended; make a new one');
    const made = this.insert(userId, { ...key, expiresAt: null, rotatedFrom: id });
    this.put(id, { expiresAt: new Date(this.nowMs() + overlapSeconds * 1_000).toISOString() });
    return made;
  }

  async revoke(id: string, userId: string): Promise<ApiKey> {
    this.own(id, userId);
    return this.put(id, { revokedAt: new Date(this.nowMs()).toISOString() });
  }

  private insert(userId: string, { name, scopes, expiresAt, rates, rotatedFrom }: Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'rates' | 'rotatedFrom'>): MadeApiKey {
    const apiKey: ApiKey = { id: randomUUID(), name, scopes, createdAt: new Date(this.nowMs()).toISOString(), expiresAt, lastUsedAt: null, revokedAt: null, rotatedFrom, rates };
    const plain = `sf_${apiKey.id}`;
    this.rows.set(apiKey.id, { key: apiKey, userId, plain });
    const parsed = Object.fromEntries(CALL_KINDS.flatMap((kind) => (rates?.[kind] === undefined ? [] : [[kind, callRateOf(rates[kind]) ?? null]])));
    this.identities.set(plain, { userId, keyId: apiKey.id, scopes, ...(rates === null ? {} : { rates: parsed }) });
    return { apiKey, plain };
  }

  private put(id: string, change: Partial<ApiKey>): ApiKey {
    const row = this.rows.get(id);
    if (row === undefined) throw new Error(`no key ${id}`);
    row.key = { ...row.key, ...change };
    return row.key;
  }

  private own(id: string, userId: string): { key: ApiKey } {
    const row = this.rows.get(id);
    if (row === undefined || row.userId !== userId) throw new DomainError('NOT_FOUND', 'no such API key');
    return row;
  }

  private isAlive({ revokedAt, expiresAt }: ApiKey): boolean {
    return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > this.nowMs());
  }
}
