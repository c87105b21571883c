/** (f) processor time of a delivery against bare Socket.io, (g) memory of a connected client: same messages, same clients, in turns. */
import { withChildren, type Child } from './child';
import { median } from './measure';
import type { Row } from './parts';
import type { StreamUsage } from './stream-server';

const CLIENTS = 1_000;
const MEMORY_CLIENTS = 5_000;
/** Messages of one turn, and turns of each server: they alternate, so that what else the machine does meets both. */
const MESSAGES = 50;
const TURNS = 5;
type Kind = 'ours' | 'bare';
const KINDS: readonly Kind[] = ['ours', 'bare'];

function withServers<Value>(run: (servers: Readonly<Record<Kind, Child>>, load: Child) => Promise<Value>): Promise<Value> {
  return withChildren(async (start) => run({ ours: await start('stream-server.ts', 'ours'), bare: await start('stream-server.ts', 'bare') }, await start('stream-load.ts')));
}

interface Fan {
  readonly name: string;
  readonly subject: Readonly<Record<string, string>>;
  /** Sends one round; the answer: deliveries it makes. */
  readonly send: (server: Child, n: number) => number;
}

const FANS: readonly Fan[] = [
  { name: 'prices of one market to 1,000 clients', subject: { channel: 'prices', venue: 'paper', symbol: 'BTC-PERP' }, send: (server, n) => (server.tell({ send: 'price', n }), CLIENTS) },
  { name: 'orders of one account to 1,000 clients', subject: { channel: 'orders', accountId: 'a' }, send: (server, n) => (server.tell({ send: 'order', accountId: 'a', n }), CLIENTS) },
  {
    name: 'orders of 1,000 accounts to a client each',
    subject: { channel: 'orders', accountId: '{client}' },
    send: (server, n) => {
      for (let account = 0; account < CLIENTS; account += 1) server.tell({ send: 'order', accountId: String(account), n });
      return CLIENTS;
    },
  },
];

/** (f) */
export async function deliveryCost(repeat: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const fan of FANS) {
    const costs: Record<Kind, number[]> = { ours: [], bare: [] };
    await withServers(async (servers, load) => {
      // One server's clients at a time; the first turn of each warms it up.
      for (let turn = 0; turn <= TURNS; turn += 1) {
        for (const kind of turn % 2 === 0 ? KINDS : [...KINDS].reverse()) {
          const cost = await oneTurn(fan, servers[kind], load, turn);
          if (turn > 0) costs[kind].push(cost);
        }
      }
    });
    const row = (name: string, value: number, unit: string, target: string, samples: readonly number[]): Row => ({ name, value, unit, target, repeat, samples });
    rows.push(
      row(`${fan.name}: ours`, median(costs.ours), 'µs a delivery', '', costs.ours),
      row(`${fan.name}: bare Socket.io`, median(costs.bare), 'µs a delivery', '', costs.bare),
      row(`(f) ${fan.name} against bare Socket.io`, median(costs.ours) / median(costs.bare), 'times', '1.2 or less', []),
    );
  }
  return rows;
}

/** Processor time of one delivery, microseconds. */
async function oneTurn(fan: Fan, server: Child, load: Child, turn: number): Promise<number> {
  await load.ask({ connect: CLIENTS, port: server.first.port ?? 0, subjects: [fan.subject] });
  const before = await server.ask<StreamUsage>({ ask: 'cpu' });
  let deliveries = 0;
  for (let n = 1; n <= MESSAGES; n += 1) {
    const round = fan.send(server, turn * MESSAGES + n);
    deliveries += round;
    await load.ask({ until: round });
  }
  const after = await server.ask<StreamUsage>({ ask: 'cpu' });
  await load.ask({ close: true });
  return (after.cpuMicros - before.cpuMicros) / deliveries;
}

/** (g) What a client adds to the resident memory of the process that serves it, with two subscriptions. */
export async function clientMemory(repeat: number): Promise<Row[]> {
  const subjects: readonly Readonly<Record<string, string>>[] = [{ channel: 'orders', accountId: '{client}' }, { channel: 'prices', venue: 'paper', symbol: 'BTC-PERP' }];
  return withServers(async (servers, load) => {
    const perClient: Record<Kind, number> = { ours: 0, bare: 0 };
    for (const kind of KINDS) {
      const server = servers[kind];
      const before = await server.ask<StreamUsage>({ ask: 'memory' });
      await load.ask({ connect: MEMORY_CLIENTS, port: server.first.port ?? 0, subjects });
      server.tell({ send: 'price', n: 1 });
      await load.ask({ until: MEMORY_CLIENTS });
      const after = await server.ask<StreamUsage>({ ask: 'memory' });
      perClient[kind] = (after.residentBytes - before.residentBytes) / MEMORY_CLIENTS / 1_024;
      await load.ask({ close: true });
    }
    const row = (name: string, value: number, unit: string): Row => ({ name, value, unit, target: '', repeat, samples: [] });
    return [
      row('(g) memory per client at 5,000 clients, two subscriptions each', perClient.ours, 'KiB'),
      row('(g) the same, bare Socket.io', perClient.bare, 'KiB'),
      row('(g) memory per client against bare Socket.io', perClient.ours / perClient.bare, 'times'),
    ];
  });
}
