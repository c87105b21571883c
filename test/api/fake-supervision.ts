/** Strategies, kill switches and heartbeats behind the API, in memory; commands follow the domain's own rules. */
import type { NewOrderListWish } from '../../src/api/order-list-ports';
import type { ApiPorts, IdempotencyRecord, NewStrategyWish } from '../../src/api/ports';
import type { Account } from '../../src/domain/account';
import { DomainError } from '../../src/domain/errors';
import { accountStream, type StreamEvent } from '../../src/domain/events';
import { sharper, type KillSwitch, type KillSwitchFacts } from '../../src/domain/kill-switch';
import type { Strategy } from '../../src/domain/strategy';
import type { OrderList } from '../../src/domain/order-list';
import { commandedTo as listCommandedTo } from '../../src/domain/order-list-commands';
import { amended, commandedTo } from '../../src/domain/strategy-commands';

export class FakeSupervision {
  readonly strategies = new Map<string, Strategy>();
  readonly started: string[] = [];
  readonly lists = new Map<string, OrderList>();
  /** Strategies and lists as they were made. */
  private readonly first = new Map<string, Strategy | OrderList>();
  readonly switches = new Map<string, KillSwitch>();
  /** What is known of the accounts under a switch. */
  facts: Partial<KillSwitchFacts> = {};

  constructor(
    private readonly backend: { readonly accounts: ReadonlyMap<string, Account>; readonly nowMs: number; readonly records: Map<string, IdempotencyRecord> },
  ) {}

  ports(): Pick<ApiPorts, 'strategies' | 'orderLists' | 'killSwitches' | 'heartbeats'> {
    return {
      strategies: {
        create: async (wish, stamp) => {
          const earlier = [...this.strategies.values()].find((each) => each.accountId === wish.accountId && each.clientStrategyId === wish.clientStrategyId);
          if (earlier !== undefined) return earlier;
          if (stamp !== null) this.backend.records.set(`${wish.userId} ${stamp.key}`, { route: stamp.route, bodyHash: stamp.bodyHash, orderId: wish.id, isOwn: false });
          return this.put(madeOf(wish, this.at()));
        },
        byId: async (id, userId) => this.own(id, userId),
        list: async ({ userId }) => ({ strategies: [...this.strategies.values()].filter((each) => each.userId === userId), nextCursor: null }),
        timeline: async (id, userId) => {
          const strategy = this.own(id, userId);
          return strategy === null ? null : { strategy, children: [], events: this.created(strategy, 'strategy') };
        },
        command: async (id, userId, command) => {
          const before = this.own(id, userId);
          if (before === null) throw new DomainError('NOT_FOUND', 'no such strategy');
          const commanded = command.kind === 'amend' ? amended(before, command, [], this.at()) : commandedTo(before, command, this.at());
          return commanded === null ? before : this.put({ ...before, ...commanded.change, revision: before.revision + 1, updatedAt: this.at() });
        },
        started: async ({ id }) => void this.started.push(id),
      },
      orderLists: {
        create: async (wish, stamp) => {
          const earlier = [...this.lists.values()].find((each) => each.accountId === wish.accountId && each.clientListId === wish.clientListId);
          if (earlier !== undefined) return earlier;
          if (stamp !== null) this.backend.records.set(`${wish.userId} ${stamp.key}`, { route: stamp.route, bodyHash: stamp.bodyHash, orderId: wish.id, isOwn: false });
          return this.putList(listOf(wish, this.at()));
        },
        byId: async (id, userId) => this.ownList(id, userId),
        list: async ({ userId }) => ({ orderLists: [...this.lists.values()].filter((each) => each.userId === userId), nextCursor: null }),
        timeline: async (id, userId) => {
          const orderList = this.ownList(id, userId);
          return orderList === null ? null : { orderList, orders: [], events: this.created(orderList, 'orderList') };
        },
        command: async (id, userId, command) => {
          const before = this.ownList(id, userId);
          if (before === null) throw new DomainError('NOT_FOUND', 'no such order list');
          const commanded = listCommandedTo(before, command, []);
          return commanded === null ? before : this.putList({ ...before, ...commanded.change, revision: before.revision + 1, updatedAt: this.at() });
        },
        started: async ({ id }) => void this.started.push(id),
      },
      killSwitches: {
        latch: async (wanted, actor) => {
          if (wanted.accountId !== null && this.backend.accounts.get(wanted.accountId)?.userId !== wanted.userId) throw new DomainError('NOT_FOUND', 'no such account');
          const earlier = [...this.switches.values()].find((each) => each.userId === wanted.userId && each.releasedAt === null && each.scope === wanted.scope && each.accountId === wanted.accountId && each.venue === wanted.venue);
          const killSwitch = earlier === undefined ? { ...wanted, latchedAt: this.at(), latchedBy: actor, releasedAt: null, releasedBy: null } : { ...earlier, mode: sharper(earlier.mode, wanted.mode) };
          this.switches.set(killSwitch.id, killSwitch);
          return { killSwitch, isNew: earlier === undefined };
        },
        release: async (id, _userId, actor) => {
          const before = this.switches.get(id);
          if (before === undefined) throw new DomainError('NOT_FOUND', 'no such kill switch');
          const after: KillSwitch = { ...before, releasedAt: before.releasedAt ?? this.at(), releasedBy: before.releasedBy ?? actor };
          this.switches.set(id, after);
          return after;
        },
        byId: async (id, userId) => {
          const killSwitch = this.switches.get(id);
          return killSwitch?.userId === userId ? killSwitch : null;
        },
        latched: async (userId) => [...this.switches.values()].filter((each) => each.userId === userId && each.releasedAt === null),
        facts: async (id) => {
          const killSwitch = this.switches.get(id);
          return [...this.backend.accounts.values()]
            .filter((account) => account.userId === killSwitch?.userId && (killSwitch.scope === 'all' || killSwitch.accountId === account.id || killSwitch.venue === account.venue))
            .map(({ id: accountId, venue }) => ({ accountId, venue, openOrders: 0, unknownOrders: 0, outsideOrders: 0, openStrategies: 0, openLists: 0, positions: [], readFromMs: null, fillsReadToMs: null, lastFillMs: null, exitTrouble: null, ...this.facts }));
        },
      },
      heartbeats: {
        beat: async (account, timeoutMs) => ({
          heartbeat: { accountId: account.id, userId: account.userId, timeoutMs, expiresAt: timeoutMs === 0 ? null : new Date(this.backend.nowMs + timeoutMs).toISOString(), beatAt: this.at(), firedAt: null },
          venue: { supported: true, armed: timeoutMs > 0, reason: null },
        }),
      },
    };
  }

  put(strategy: Strategy): Strategy {
    this.first.set(strategy.id, this.first.get(strategy.id) ?? strategy);
    this.strategies.set(strategy.id, strategy);
    return strategy;
  }

  putList(list: OrderList): OrderList {
    this.first.set(list.id, this.first.get(list.id) ?? list);
    this.lists.set(list.id, list);
    return list;
  }

  private ownList(id: string, userId: string): OrderList | null {
    const list = this.lists.get(id);
    return list?.userId === userId ? list : null;
  }

  private created({ id, userId, accountId, createdAt }: Strategy | OrderList, kind: 'strategy' | 'orderList'): readonly StreamEvent[] {
    const stream = accountStream(accountId);
    return [{ id: `${stream}/1`, stream, userId, accountId, sequence: 1, generation: 'g-1', type: `${kind}.created`, at: createdAt, orderId: null, data: { [kind]: this.first.get(id) } }];
  }

  private own(id: string, userId: string): Strategy | null {
    const strategy = this.strategies.get(id);
    return strategy?.userId === userId ? strategy : null;
  }

  private at(): string {
    return new Date(this.backend.nowMs).toISOString();
  }
}

function madeOf(wish: NewStrategyWish, at: string): Strategy {
  return { ...wish, state: 'SCHEDULED', reason: null, pendingCancel: false, filledQuantity: '0', avgPrice: null, revision: 1, run: 0, startedAt: null, runStartedAt: null, pausedAt: null, pausedMs: 0, createdAt: at, updatedAt: at, endedAt: null };
}

function listOf(wish: NewOrderListWish, at: string): OrderList {
  return { ...wish, state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false, closeAt: null, revision: 1, createdAt: at, updatedAt: at, endedAt: null };
}
