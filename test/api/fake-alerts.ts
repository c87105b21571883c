/** Alerts in memory, by the rules of the store; nothing is judged and nothing is sent. */
import { randomUUID } from 'node:crypto';
import type { AlertChannelsPort, AlertRulesPort, AlertsPort } from '../../src/api/alert-ports';
import type { AlertRule, ShownAlert, ShownAlertChannel } from '../../src/domain/alert';
import { DomainError } from '../../src/domain/errors';

interface Owned {
  readonly id: string;
  readonly userId: string;
}

class Rows<Row extends Owned> {
  private readonly rows = new Map<string, Row>();

  constructor(private readonly what: string) {}

  put(row: Row): Row {
    this.rows.set(row.id, row);
    return row;
  }

  own(id: string, userId: string): Row {
    const row = this.rows.get(id);
    if (row === undefined || row.userId !== userId) throw new DomainError('NOT_FOUND', `no such ${this.what}`);
    return row;
  }

  of(userId: string): Row[] {
    return [...this.rows.values()].filter((row) => row.userId === userId).reverse();
  }

  remove(id: string, userId: string): Row {
    const row = this.own(id, userId);
    this.rows.delete(id);
    return row;
  }
}

export class FakeAlerts {
  private readonly ruleRows = new Rows<AlertRule>('alert rule');
  private readonly channelRows = new Rows<ShownAlertChannel>('alert channel');
  private readonly alertRows = new Rows<ShownAlert>('alert');
  /** What a created channel was given and no answer may show. */
  readonly botTokens: (string | null)[] = [];
  sendsEmail = true;

  constructor(private readonly now: () => string) {}

  private readonly rules: AlertRulesPort = {
    create: async (wanted) => {
      for (const id of wanted.channelIds) this.channelRows.own(id, wanted.userId);
      return this.ruleRows.put({ ...wanted, id: randomUUID(), enabled: true, activeSince: this.now(), revision: 1, createdAt: this.now(), updatedAt: this.now() });
    },
    list: async (userId) => this.ruleRows.of(userId),
    get: async (id, userId) => this.ruleRows.own(id, userId),
    change: async (id, userId, change) => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const before = this.ruleRows.own(id, userId);
      return this.ruleRows.put({ ...before, ...given, revision: before.revision + (change.parameters === undefined ? 0 : 1) });
    },
    remove: async (id, userId) => this.ruleRows.remove(id, userId),
  };

  private channels(): AlertChannelsPort {
    const rows = this.channelRows;
    return {
      sendsEmail: this.sendsEmail,
      create: async ({ botToken, ...wanted }) => {
        this.botTokens.push(botToken);
        return rows.put({ ...wanted, id: randomUUID(), status: 'unverified', disabledReason: null, disabledAt: null, verifiedAt: null, heldUntil: null, lastError: null, lastDeliveredAt: null, createdAt: this.now(), updatedAt: this.now(), waiting: 0 });
      },
      list: async (userId) => rows.of(userId),
      get: async (id, userId) => rows.own(id, userId),
      change: async (id, userId, { name, enabled }) => {
        const before = rows.own(id, userId);
        if (enabled === true && before.status === 'unverified') throw new DomainError('CONFLICT', 'the channel is not verified');
        return rows.put({ ...before, name: name ?? before.name, ...(enabled === undefined ? {} : enabled ? { status: 'enabled', disabledReason: null } : { status: 'disabled', disabledReason: 'owner', disabledAt: this.now() }) });
      },
      sendCode: async (id, userId) => {
        if (rows.own(id, userId).status !== 'unverified') throw new DomainError('CONFLICT', 'the channel is verified already');
        return rows.own(id, userId);
      },
      verify: async (id, userId, code) => {
        const before = rows.own(id, userId);
        if (before.status !== 'unverified' || code !== '123456') throw new DomainError('CONFLICT', 'the code is not the one that was sent last');
        return rows.put({ ...before, status: 'enabled', verifiedAt: this.now() });
      },
      test: async (id, userId) => {
        if (rows.own(id, userId).status !== 'enabled') throw new DomainError('CONFLICT', 'the channel is not enabled');
        return rows.own(id, userId);
      },
      remove: async (id, userId) => rows.remove(id, userId),
    };
  }

  private readonly raised: AlertsPort = {
    list: async ({ userId, ruleId, kind, acknowledged, limit }) => ({ alerts: this.alertRows.of(userId).filter((alert) => (ruleId === null || this.ruleRows.own(ruleId, userId).id === alert.ruleId) && (kind === null || alert.kind === kind) && (acknowledged === null || (alert.acknowledgedAt !== null) === acknowledged)).slice(0, limit), nextCursor: null }),
    get: async (id, userId) => this.alertRows.own(id, userId),
    acknowledge: async (id, userId, actor) => this.alertRows.put({ ...this.alertRows.own(id, userId), acknowledgedAt: this.now(), acknowledgedBy: actor }),
  };

  /** As the judging does. */
  raise(userId: string, changes: Partial<ShownAlert> = {}): ShownAlert {
    return this.alertRows.put({ id: `alr_${randomUUID()}`.slice(0, 31), userId, ruleId: randomUUID(), ruleName: 'fills', kind: 'fill', subject: 'fill/main/BTC-PERP', title: 'Bought 1 BTC-PERP at 1', body: 'Account main.', accountId: 'main', symbol: 'BTC-PERP', data: { price: '1' }, suppressed: 0, raisedAt: this.now(), acknowledgedAt: null, acknowledgedBy: null, deliveries: [{ channelId: randomUUID(), status: 'waiting', at: this.now() }], ...changes });
  }

  get ports() {
    return { alertRules: this.rules, alertChannels: this.channels(), alerts: this.raised } as const;
  }
}
