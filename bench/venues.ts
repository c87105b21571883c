/** `npm run bench:venues`: signing an order and decoding a book and fills of Hyperliquid, against ccxt and @nktkas/hyperliquid in one run. */
import { signL1Action } from '@nktkas/hyperliquid/signing';
import ccxt from 'ccxt';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { privateKeyToAccount } from 'viem/accounts';
import { privateDialect } from '../src/venues/hyperliquid/dialects';
import { publicDialect } from '../src/venues/hyperliquid/market-dialects';
import { medianMicroseconds } from './interleaved';
import { signAction } from '../src/venues/hyperliquid/signing';
import vectors from '../test/vectors/hyperliquid.json';

const LEVELS = 20;
const BOOKS_FOR_MEMORY = 500;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const tell = (what: string, { ours, nktkas, ccxt: other }: Readonly<Record<'ours' | 'nktkas' | 'ccxt', number>>): void =>
  say(`${what}: ours ${ours.toFixed(1)} us, @nktkas/hyperliquid ${nktkas.toFixed(1)} us (${(nktkas / ours).toFixed(1)} times), ccxt ${other.toFixed(1)} us (${(other / ours).toFixed(1)} times)`);

async function run(): Promise<void> {
  const key = vectors.private_key as `0x${string}`;
  const privateKey = Buffer.from(key.slice(2), 'hex');
  const wallet = privateKeyToAccount(key);
  const exchange = new ccxt.hyperliquid({ privateKey: key, walletAddress: vectors.address });
  const action = { type: 'order', orders: [{ a: 0, b: true, p: '65000', s: '0.001', r: false, t: { limit: { tif: 'Gtc' } }, c: '0x000102030405060708090a0b0c0d0e0f' }], grouping: 'na' };
  let nonce = vectors.nonce;
  const signing = await medianMicroseconds({
    ours: () => JSON.stringify(signAction(action, { nonce: (nonce += 1), vaultAddress: null, expiresAfterMs: null }, { privateKey, network: 'mainnet' })),
    nktkas: async () => JSON.stringify(await signL1Action({ wallet, action, nonce: (nonce += 1), isTestnet: false })),
    ccxt: () => JSON.stringify(exchange.signL1Action(action, (nonce += 1))),
  }, 2);
  tell('sign and encode an order', signing);

  const level = (index: number): object => ({ px: `${97_000 + index}.0`, sz: '1.11141', n: 3 });
  const side = Array.from({ length: LEVELS }, (_, index) => level(index));
  const book = JSON.stringify({ channel: 'l2Book', data: { coin: 'BTC', time: 1_700_000_000_000, levels: [side, side] } });
  const open = publicDialect('hyperliquid', ['BTC'], () => false);
  const books = await medianMicroseconds({
    ours: () => open.read(book),
    // It hands on what JSON.parse made, unchecked.
    nktkas: () => (JSON.parse(book) as { data: unknown }).data,
    ccxt: () => {
      const { data } = JSON.parse(book) as { data: { levels: unknown[]; time: number } };
      return exchange.parseOrderBook({ bids: data.levels[0], asks: data.levels[1] }, 'BTC/USDC:USDC', data.time, 'bids', 'asks', 'px', 'sz');
    },
  }, 20);
  tell(`decode an l2Book of ${LEVELS} levels a side`, books);

  const fill = { coin: 'BTC', px: '97010.0', sz: '0.01', side: 'A', time: 1_700_000_000_000, startPosition: '0.01', dir: 'Close Long', closedPnl: '-0.1', hash: '0x01', oid: 1, crossed: true, fee: '0.43', tid: 24, feeToken: 'USDC', twapId: null };
  const fills = JSON.stringify({ channel: 'userFills', data: { user: vectors.address, fills: [fill] } });
  const own = privateDialect({ user: vectors.address, dexes: [], agent: null, agentCheckEveryMs: 60_000, nowMs: Date.now, tellDrift: () => false, collateralOf: () => 'USDC', onDoubtfulCancel: () => undefined });
  const decoded = await medianMicroseconds({
    ours: () => own.read(fills),
    nktkas: () => (JSON.parse(fills) as { data: unknown }).data,
    ccxt: () => exchange.parseTrade((JSON.parse(fills) as { data: { fills: [object] } }).data.fills[0]),
  }, 50);
  tell('decode a userFills message', decoded);

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
