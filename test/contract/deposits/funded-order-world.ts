/** A real chain, a simulated Hyperliquid with its bridge on it, a store, and what a worker does with a deposit's money there, without Temporal. */
import { randomUUID } from 'node:crypto';
import { AccountFunding } from '../../../src/activities/account-funding';
import { DepositArrivals } from '../../../src/activities/deposit-arrivals';
import { FundedOrderPath } from '../../../src/activities/funded-order-path';
import { VenueExits } from '../../../src/activities/venue-exits';
import type { Bridge } from '../../../src/domain/bridge';
import { assetOf, type Deposit, type Hex } from '../../../src/domain/deposit';
import { ENDED_FUNDED_ORDER_STATES, type FundedOrder, type OnRefused } from '../../../src/domain/funded-order';
import type { OrderListNote } from '../../../src/domain/order-list-commands';
import type { WalletSigner } from '../../../src/domain/wallet-signer';
import { startPaperSimulator } from '../../../src/simulator';
import { HyperliquidBridgeSimulator } from '../../../src/simulator/chains/hyperliquid-bridge';
import type { Store } from '../../../src/store';
import { Database } from '../../../src/store/database/database';
import { HyperliquidVenue } from '../../../src/venues/hyperliquid/venue';
import { RELAYER } from '../../support/anvil';
import { depositSample, hash } from '../../unit/domain/deposit-samples';
import { leg, LEGS } from '../../unit/order-lists/list-samples';
import type { Wrap } from '../dying';
import { CHAIN_ID, CONFIRMATIONS, openWithdrawalWorld } from './withdrawal-world';

/** Where the venue's bridge is on the chain of the tests: an address without code. */
export const CONTRACT: Hex = '0x2df1c51e09aecf9cacb7bc98cb1742757f163df7';
export const LATE_AFTER_MS = 60_000;
const AGENT_KEY = '17'.repeat(32);
/** More than enough for the longest way; what has not ended by then hangs. */
const TURNS = 12;
const NO_BRIDGE: Bridge = { offer: () => Promise.reject(new Error('nobody asks')), status: () => Promise.reject(new Error('nobody asks')), addressOf: () => Promise.reject(new Error('nobody asks')) };

export const is = (state: FundedOrder['state']) => (order: FundedOrder): boolean => order.state === state;
export const ended = ({ state }: FundedOrder): boolean => ENDED_FUNDED_ORDER_STATES.has(state);
/** By risk, or by the venue, after it was placed. */
export const REFUSED = { state: 'REJECTED', reason: 'RISK_MAX_ORDER_NOTIONAL: the order is worth more than the account may' } as const;

export type FundedWorld = Awaited<ReturnType<typeof openFundedWorld>>;

export interface Funded {
  readonly id: string;
  readonly userId: string;
  readonly wallet: Hex;
  readonly accountId: string;
}

interface Worker {
  readonly wrap?: Wrap;
  readonly store?: Store;
  readonly signer?: WalletSigner;
  readonly owner?: Hex;
  /** The account is gone. */
  readonly gone?: boolean;
  /** Nobody is at the order yet. */
  readonly fundingAlone?: boolean;
  /** Somebody is at the order before its money has begun its way. */
  readonly orderFirst?: boolean;
}

export async function openFundedWorld() {
  const world = await openWithdrawalWorld();
  const { chain, token, store, clock } = world;
  /** What no port of ours does: a backup brought back, and the audit read. */
  const database = new Database({ databaseUrl: world.databaseUrl, poolSize: 1, statementTimeoutMs: 10_000, lockTimeoutMs: 500, onError: () => undefined, onAuditHead: () => undefined });
  const simulator = await startPaperSimulator({ venue: 'hyperliquid', network: 'mainnet', weightPerMinute: 1_000_000, tickMs: 0 });
  if (simulator.bridge === undefined) throw new Error('the venue has no bridge');
  const bridge = new HyperliquidBridgeSimulator({ chain, token: token.address, contract: CONTRACT, venue: simulator.bridge });
  const venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws'), options: { network: 'mainnet', absenceFinalAfterMs: 0 }, clock });
  const arrivals = new DepositArrivals({ clock, deposits: store.deposits, transfers: store.chainTransfers, chains: new Map([[CHAIN_ID, world.reader]]), bridge: NO_BRIDGE, taken: token, claimWithinMs: 60_000, onTrouble: () => undefined });
  await chain.mine(CONFIRMATIONS);
  await arrivals.scan(CHAIN_ID);
  const scan = async (): Promise<void> => {
    await chain.mine(CONFIRMATIONS);
    await arrivals.scan(CHAIN_ID);
  };

  const funded = {
    ...world, simulator, bridge, venue, scan,
    /** A user whose wallet holds 100 USDC, of which a deposit that brought 99 is to go on to the venue, and then into an order. */
    async credited({ onRefused = 'keep', amount = '99', expireTime = null, gas = 10n ** 18n }: { readonly onRefused?: OnRefused; readonly amount?: string; readonly expireTime?: string | null; readonly gas?: bigint } = {}): Promise<Funded> {
      const { id: userId } = await store.users.createUser(`trader ${randomUUID()}`);
      const wallet = await world.signer.addressOf(userId);
      await store.deposits.keepAddress(userId, wallet);
      await chain.call(RELAYER, token.address, world.contracts.token, 'mint', [wallet, 100_000_000n]);
      await chain.client.test.setBalance({ address: wallet, value: gas });
      await scan();
      const { id: accountId } = await world.newAccount({ userId });
      const [id, listId] = [randomUUID(), randomUUID()];
      const legs = LEGS.BRACKET.map((terms, n) => leg({ ...terms, accountId }, n));
      const list: FundedOrder['list'] = { id: listId, clientListId: `deposit-${id}`, userId, accountId, venue: 'paper', symbol: 'X-PERP', type: 'BRACKET', legs, expireTime, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: `order-list/${listId}` };
      const order: FundedOrder = { state: 'WAITING', reason: null, onRefused, asked: { symbol: 'X-PERP' }, list, credited: null, entry: null, back: null };
      await store.deposits.begin(depositSample({ id, userId, state: 'CREDITED', to: token, toAddress: wallet, sourceOutcome: 'final', received: [{ asset: assetOf(token), amount, txHash: hash('f1') }], destination: { accountId, fundingId: randomUUID(), order } }));
      return { id, userId, wallet, accountId };
    },
    /** One look of each workflow that is at it, by one worker. */
    async look(at: Funded, { wrap = (port) => port, store: own = store, signer = world.signer, owner, gone = false, fundingAlone = false, orderFirst = false }: Worker = {}): Promise<void> {
      const way = { chainId: CHAIN_ID, token: token.address, contract: CONTRACT, minimum: '5', sender: at.wallet };
      const { path } = world.workerOver({ wrap, store: own });
      const session = venue.session({ agentKey: AGENT_KEY, address: owner ?? at.wallet });
      const exits = new VenueExits({ clock, rows: wrap(own.venueExits), deposits: wrap(own.deposits), signer: wrap(signer) });
      const lists = wrap({ create: (list: FundedOrder['list']) => own.orderLists.create(list, null), started: () => Promise.resolve(), byId: (id: string) => own.orderLists.byId(id) });
      const orders = new FundedOrderPath({
        clock, deposits: wrap(own.deposits), fundingById: (id) => own.withdrawals.byId(id), chains: new Map([[CHAIN_ID, world.reader]]), credits: wrap(own.venueExits), lists, exits, lateAfterMs: LATE_AFTER_MS,
        access: () => Promise.resolve(gone ? null : { venue, session: wrap(session), contract: CONTRACT }),
      });
      const funding = new AccountFunding({
        clock, depositById: (id) => own.deposits.byId(id), withdrawals: wrap(own.withdrawals), wayInto: () => Promise.resolve(way),
        pursue: async ({ id }) => void (await path.look(id)), pursueOrder: async ({ id }) => void (fundingAlone || (await orders.look(id))),
      });
      if (orderFirst) await orders.look(at.id);
      await funding.forward(at.id);
    },
    /** What the world does between two looks: blocks, the bridge, and what is final on the chain. */
    async between(): Promise<void> {
      await chain.mine(CONFIRMATIONS);
      await bridge.step();
      await scan();
    },
    async settle(at: Funded, { until, worker = {} }: { readonly until: (order: FundedOrder) => boolean; readonly worker?: Worker }): Promise<FundedOrder> {
      for (let turn = 0; turn < TURNS; turn += 1) {
        await funded.look(at, worker);
        const order = await funded.order(at);
        if (until(order)) return order;
        await funded.between();
      }
      const { list: _list, ...order } = await funded.order(at);
      throw new Error(`the order is ${JSON.stringify(order)} after ${TURNS} turns`);
    },
    /** At the venue, and nobody has looked there yet. */
    async arrived(at: Funded): Promise<Funded> {
      for (let turn = 0; turn < 2; turn += 1) {
        await funded.look(at, { fundingAlone: true });
        await chain.mine(CONFIRMATIONS);
      }
      await bridge.step();
      return at;
    },
    async deposit({ id }: Funded): Promise<Deposit> {
      const deposit = await store.deposits.byId(id);
      if (deposit === null) throw new Error(`deposit ${id} is not there`);
      return deposit;
    },
    async order(at: Funded): Promise<FundedOrder> {
      const order = (await funded.deposit(at)).destination?.order;
      if (order === undefined) throw new Error(`deposit ${at.id} has no order`);
      return order;
    },
    /** What the workflow of the order list would have noted. Nothing where the list is not there yet, or has ended. */
    async listEnds(at: Funded, note: Partial<OrderListNote>, filled = '0'): Promise<void> {
      const list = await store.orderLists.byId((await funded.order(at)).list.id);
      if (list === null || list.endedAt !== null) return;
      const legs = list.legs.map((each) => (each.n === 0 ? { ...each, filledQuantity: filled, avgPrice: filled === '0' ? null : '100' } : each));
      await store.orderLists.advance(list.id, { revision: list.revision, afterN: 0, note: { state: list.state, reason: null, legs, closeAt: null, ...note }, place: [], cancel: [], alerts: [] });
    },
    async refusedOnce(at: Funded): Promise<void> {
      await funded.settle(at, { until: is('PLACED') });
      await funded.listEnds(at, REFUSED);
    },
    async eventsOf({ userId }: Funded): Promise<readonly string[]> {
      return (await store.events.since(`user:${userId}`, 0, 200)).filter(({ type }) => type.startsWith('deposit.')).map(({ type }) => type);
    },
    async actsOn(subject: string): Promise<readonly object[]> {
      return (await database.rows<{ actor: string; act: string; data: string }>('SELECT e.actor, e.act, e.data::text AS data FROM audit_entries e WHERE e.subject = $1 ORDER BY e.number', subject)).map(({ data, ...rest }) => ({ ...rest, data: JSON.parse(data) as object }));
    },
    async listsOf({ accountId }: Funded): Promise<number> {
      return (await store.orderLists.list({ userId: (await store.accounts.byId(accountId))?.userId ?? '', status: 'all', accountId, symbol: null, venue: null, cursor: null, limit: 10 })).orderLists.length;
    },
    /** The database as a backup has it that was made now: what is called brings it back, without what was learned since. */
    async backedUp({ id }: Funded): Promise<() => Promise<void>> {
      const [row] = await database.rows<{ state: string; data: string; steps: number; at: string }>('SELECT d.state, d.data::text AS data, d.steps, d.updated_at::text AS at FROM deposits d WHERE d.id = $1', id);
      if (row === undefined) throw new Error(`deposit ${id} is not there`);
      return async () => {
        await database.rows('DELETE FROM deposit_steps WHERE deposit_id = $1 AND number > $2::int', id, row.steps);
        await database.rows('DELETE FROM venue_exits WHERE deposit_id = $1', id);
        if ((JSON.parse(row.data) as Deposit).destination?.order?.credited == null) await database.rows('DELETE FROM venue_credits WHERE deposit_id = $1', id);
        await database.rows('UPDATE deposits SET state = $2, data = $3::jsonb, steps = $4::int, updated_at = $5::timestamptz WHERE id = $1', id, row.state, row.data, row.steps, row.at);
      };
    },
    /** What the venue paid out for the wallet. */
    paidBack({ wallet }: Funded): readonly string[] {
      return simulator.bridge?.exits().filter(({ destination }) => destination === wallet).map(({ amount }) => amount) ?? [];
    },
    async closeFunded(): Promise<void> {
      await database.close();
      await venue.close();
      await simulator.close();
      await world.closeAll();
    },
  };
  return funded;
}
