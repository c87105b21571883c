/** `npm run bench:venues`: signing an order and decoding a book and fills of Hyperliquid, against ccxt and @nktkas/hyperliquid in one run. */
import { signL1Action } from '@nktkas/hyperliquid/signing';
import ccxt from 'ccxt';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { privateKeyToAccount } from 'viem/accounts';
import { publicDialect, privateDialect } from '../src/venues/hyperliquid/dialects';
import { signAction } from '../src/venues/hyperliquid/signing';
import vectors from '../test/vectors/hyperliquid.json';

/** Long enough for the compiler to settle, short enough to wait for. */
const WARM_UP = 200;
const RUNS = 1_000;
const LEVELS = 20;
const BOOKS_FOR_MEMORY = 500;

async function microseconds(run: () => unknown): Promise<number> {
  for (let index = 0; index < WARM_UP; index += 1) await run();
  const startedAt = process.hrtime.bigint();
  for (let index = 0; index < RUNS; index += 1) await run();
  return Number(process.hrtime.bigint() - startedAt) / 1_000 / RUNS;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(): Promise<void> {
  const key = vectors.private_key as `0x${string}`;
  const privateKey = Buffer.from(key.slice(2), 'hex');
  const wallet = privateKeyToAccount(key);
  const exchange = new ccxt.hyperliquid({ privateKey: key, walletAddress: vectors.address });
  const action = { type: 'order', orders: [{ a: 0, b: true, p: '65000', s: '0.001', r: false, t: { limit: { tif: 'Gtc' } }, c: '0x000102030405060708090a0b0c0d0e0f' }], grouping: 'na' };
  let nonce = vectors.nonce;
  const ours = await microseconds(() => JSON.stringify(signAction(action, { nonce: (nonce += 1), vaultAddress: null, expiresAfterMs: null }, { privateKey, network: 'mainnet' })));
  const nktkas = await microseconds(async () => JSON.stringify(await signL1Action({ wallet, action, nonce: (nonce += 1), isTestnet: false })));
  const theirs = await microseconds(() => JSON.stringify(exchange.signL1Action(action, (nonce += 1))));
  say(`sign and encode an order: ours ${ours.toFixed(0)} us, @nktkas/hyperliquid ${nktkas.toFixed(0)} us (${(nktkas / ours).toFixed(1)} x), ccxt ${theirs.toFixed(0)} us (${(theirs / ours).toFixed(1)} x)`);

  const level = (index: number): object => ({ px: `${97_000 + index}.0`, sz: '1.11141', n: 3 });
  const side = Array.from({ length: LEVELS }, (_, index) => level(index));
  const book = JSON.stringify({ channel: 'l2Book', data: { coin: 'BTC', time: 1_700_000_000_000, levels: [side, side] } });
  const open = publicDialect('hyperliquid', ['BTC'], () => false);
  const oursBook = await microseconds(() => open.read(book));
  const theirBook = await microseconds(() => {
    const { data } = JSON.parse(book) as { data: { levels: unknown[]; time: number } };
    return exchange.parseOrderBook({ bids: data.levels[0], asks: data.levels[1] }, 'BTC/USDC:USDC', data.time, 'bids', 'asks', 'px', 'sz');
  });
  say(`decode an l2Book of ${LEVELS} levels a side, every field checked: ours ${oursBook.toFixed(0)} us, ccxt ${theirBook.toFixed(0)} us (unchecked)`);

  const fill = { coin: 'BTC', px: '97010.0', sz: '0.01', side: 'A', time: 1_700_000_000_000, startPosition: '0.01', dir: 'Close Long', closedPnl: '-0.1', hash: '0x01', oid: 1, crossed: true, fee: '0.43', tid: 24, feeToken: 'USDC', twapId: null };
  const fills = JSON.stringify({ channel: 'userFills', data: { user: vectors.address, fills: [fill] } });
  const own = privateDialect({ user: vectors.address, dexes: [], agent: null, agentCheckEveryMs: 60_000, nowMs: Date.now, tellDrift: () => false, collateralOf: () => 'USDC', onDoubtfulCancel: () => undefined });
  const oursFill = await microseconds(() => own.read(fills));
  const theirFill = await microseconds(() => exchange.parseTrade((JSON.parse(fills) as { data: { fills: [object] } }).data.fills[0]));
  say(`decode a userFills message, every field checked: ours ${oursFill.toFixed(0)} us, ccxt ${theirFill.toFixed(0)} us (unchecked)`);

  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: BOOKS_FOR_MEMORY }, () => open.read(book));
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  say(`memory per 1,000 levels: ${((bytes / (kept.length * LEVELS * 2)) * 1_000 / 1024).toFixed(0)} KB`);
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
