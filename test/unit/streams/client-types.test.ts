/** What a terminal's author writes against the exported event maps compiles, and what would be a mistake does not. */
import { expect, test } from '@jest/globals';
import path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(__dirname, '..', '..', '..');
/** One program for all clients below: the libraries are read once. */
const clients = new Map<string, string>();

const HEAD = `
import { io, type Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents } from 'surefill/stream';
const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io('http://127.0.0.1:3000', { auth: { token: 'key' } });
`;

/** Keeps a client with these lines for the compiler, and answers its file. */
function client(lines: string): string {
  const file = path.join(ROOT, 'test', `client-${clients.size}-that-is-not-on-disk.ts`);
  clients.set(file, `${HEAD}${lines}`);
  return file;
}

let compiled: ts.Program | null = null;

function program(): ts.Program {
  if (compiled) return compiled;
  const config = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [], files: [] }, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (file, language, ...rest) => {
    const text = clients.get(file);
    return text === undefined ? getSourceFile.call(host, file, language, ...rest) : ts.createSourceFile(file, text, language);
  };
  host.fileExists = (file) => clients.has(file) || fileExists.call(host, file);
  compiled = ts.createProgram([...clients.keys()], options, host);
  return compiled;
}

function mistakesIn(file: string): string[] {
  const source = program().getSourceFile(file);
  return [...program().getSyntacticDiagnostics(source), ...program().getSemanticDiagnostics(source)].map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

const good = client(`
async function run(): Promise<void> {
  socket.on('event', (event) => {
    if (event.channel === 'orders') { const state: string = event.data.order.state; console.log(state, event.accountId); }
    else if (event.channel === 'fills') { const price: string = event.data.fill.price; console.log(price); }
    else if (event.channel === 'deposits') console.log(event.data.deposit?.progress.percent, event.data.transfer?.amount);
    else if (event.channel === 'positions') console.log(event.data.position.quantity.length);
    else if (event.channel === 'balances') console.log(event.data.balance.total.length);
    else if (event.channel === 'trades') console.log(event.data.trade.profit.length);
    else if (event.channel === 'prices') { const bid: string | null = event.data.bid; console.log(bid, event.symbol, event.data.stale); }
    else if (event.channel === 'orderbook') console.log(event.data.bids[0]?.[0]);
    else { const type: 'account.created' | string = event.type; console.log(type); }
    const chained: boolean = event.previousSequence < event.sequence;
    console.log(chained);
  });
  socket.on('gap', ({ accountId, from, to }) => console.log(accountId, from, to));
  socket.on('resync', ({ reason, snapshot }) => console.log(reason === 'restored', snapshot));
  const answer = await socket.emitWithAck('subscribe', { channel: 'orders', accountId: 'a', sinceSequence: 7, generation: 'g' });
  if ('error' in answer) console.log(answer.error.code, answer.error.retryable);
  else console.log(answer.sequence + 1, answer.generation, answer.snapshot);
  await socket.emitWithAck('subscribe', { channel: 'prices', venue: 'paper', symbol: 'BTC-PERP' });
  socket.emit('unsubscribe', { channel: 'account', accountId: 'a' }, (gone) => { if ('error' in gone) console.log(gone.error); });
}
void run();
`);
const bad = (
  [
  ['an event that does not exist', `socket.on('orders', () => undefined);`],
  ['a channel that does not exist', `socket.emit('subscribe', { channel: 'news', accountId: 'a' }, () => undefined);`],
  ['an account channel without its account', `socket.emit('subscribe', { channel: 'orders' }, () => undefined);`],
  ['a forgotten answer', `socket.emit('subscribe', { channel: 'orders', accountId: 'a' });`],
  ['a sequence as text', `socket.emit('subscribe', { channel: 'orders', accountId: 'a', sinceSequence: '7' }, () => undefined);`],
  ['an answer taken for granted', `socket.emit('subscribe', { channel: 'orders', accountId: 'a' }, (answer) => { console.log(answer.sequence); });`],
  ['one channel\'s data read from another', `socket.on('event', (event) => { if (event.channel === 'orders') { const price: string = event.data.fill.price; console.log(price); } });`],
] as const
).map(([what, lines]) => [what, client(lines)] as const);

test('a client subscribes, reads each channel\'s data by name, resumes and unsubscribes', () => {
  expect(mistakesIn(good)).toEqual([]);
}, 60_000);

test.each(bad)('%s does not compile', (_what, file) => {
  expect(mistakesIn(file).length).toBeGreaterThan(0);
}, 60_000);
