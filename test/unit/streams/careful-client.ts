/** A client of one subscription that checks every event against the one before it, and what it subscribes to. */
import type { AccountChannel } from '../../../src/schemas/socket';
import { AccountSubscription, type SnapshotReader } from '../../../src/streams/account-subscription';
import { EventTail } from '../../../src/streams/event-tail';
import type { Outgoing } from '../../../src/streams/outgoing';
import type { ChannelEvent, GapNotice, ResyncNotice, Subscribed } from '../../../src/streams/socket-events';
import { EventsTable } from './events-table';

export const NEVER_MS = 3_600_000;

/** What a careful client does: keeps the sequence it is at, and notices by itself when an event does not follow it. */
export class CarefulClient implements Outgoing {
  readonly busy = false;
  readonly events: ChannelEvent[] = [];
  readonly notices: (GapNotice | ResyncNotice)[] = [];
  readonly broken: string[] = [];
  at: number | null = null;
  roomAfter: (() => Promise<void> | undefined) | null = null;

  answered({ sequence }: Subscribed): void {
    this.at = sequence;
  }
  emit(name: string, message: ChannelEvent | GapNotice | ResyncNotice): void {
    if (name !== 'event') {
      this.notices.push(message as GapNotice | ResyncNotice);
      if (name === 'resync' && (message as ResyncNotice).snapshot !== null) this.at = (message as ResyncNotice).sequence;
      return;
    }
    const event = message as ChannelEvent;
    if (event.previousSequence !== this.at) this.broken.push(`after ${this.at} came ${event.sequence}, which follows ${event.previousSequence}`);
    this.at = event.sequence;
    this.events.push(event);
  }
  room(): Promise<void> | undefined {
    return this.roomAfter?.();
  }
  get sequences(): number[] {
    return this.events.map(({ sequence }) => sequence);
  }
}

/** The snapshot says how far the state it shows had come. */
export function snapshotsOf(table: EventsTable, pause: (what: string) => Promise<void> = () => Promise.resolve()): SnapshotReader {
  const read = async (accountId: string): Promise<readonly never[]> => {
    await pause('snapshot asked');
    const rows = [{ head: table.headOf(accountId) }];
    await pause('snapshot answered');
    return rows as unknown as readonly never[];
  };
  return { orders: read, orderLists: read, strategies: read, fills: read, positions: read, balances: read, trades: read, account: read, deposits: read, alerts: read };
}
export const headOf = ({ snapshot }: { snapshot: unknown }): number => (snapshot as { head: number }[])[0]?.head ?? -1;

export async function setUp(options: { replayMaxEvents?: number; pollMs?: number } = {}) {
  const table = new EventsTable();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const tail = new EventTail({ source: table, onError, pollMs: options.pollMs ?? NEVER_MS, pageEvents: 3 });
  await tail.start();
  const deps = { tail, snapshots: snapshotsOf(table), lastStreamAlert: (stream: string, upTo: number) => table.lastStreamAlert(stream, upTo), onError, retryMs: 5, ...(options.replayMaxEvents === undefined ? {} : { replayMaxEvents: options.replayMaxEvents }) };
  const open = async (client: CarefulClient, request: { channel?: AccountChannel; sinceSequence?: number; generation?: string } = {}) => {
    const subscription = new AccountSubscription({ channel: 'orders', accountId: 'a', ...request }, 'u1', deps, client);
    const subscribed = await subscription.open();
    client.answered(subscribed);
    subscription.start();
    return { subscription, subscribed };
  };
  return { table, tail, open, errors };
}
