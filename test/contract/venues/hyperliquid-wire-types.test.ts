/**
 * The simulated Hyperliquid's JSON, field by field: each answer and message is written down as a literal of the type that
 * @nktkas/hyperliquid declares for it, and the compiler judges. A field too few, one too many, a word or a kind that the type does
 * not have is an error.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import ts from 'typescript';
import { WebSocket } from 'ws';
import { startPaperSimulator, type StartedSimulator } from '../../../src/simulator';
import { addressOf } from '../../../src/venues/ecdsa';
import { SimulatorControl } from '../../support/simulator-control';
import { until } from '../streams/bus-until';
import { postTo, sendAction } from './hyperliquid-caller';

const ROOT = path.resolve(__dirname, '../../..');
/** Compiled as if it stood here, so that it finds the package. */
const FILE = path.join(ROOT, 'test/contract/wire-literals.ts');
const CLOID = `0x${'c1'.repeat(16)}`;

type Room = 'info' | 'exchange' | 'subscription';
interface Literal {
  readonly type: string;
  readonly room: Room;
  readonly value: unknown;
}

let simulator: StartedSimulator;
let sim: SimulatorControl;
const key = randomBytes(32);
const user = `0x${randomBytes(20).toString('hex')}`;
beforeAll(async () => {
  simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, tickMs: 0 });
  sim = new SimulatorControl(simulator.url);
  await sim.call('POST', '/__sim/accounts', { account: user, key: addressOf(key), collateral: '100000' });
});
afterAll(() => simulator.close());

async function answerOf(answer: ReturnType<typeof postTo>): Promise<unknown> {
  const { status, text } = await answer;
  if (status !== 200) throw new Error(`the simulator answered ${status}: ${text}`);
  return JSON.parse(text);
}

const act = (action: object): Promise<unknown> => answerOf(sendAction(simulator.url, key, action));
const order = (more: object = {}): object => ({ a: 0, b: true, p: '90000', s: '0.01', r: false, t: { limit: { tif: 'Gtc' } }, ...more });
const place = (orders: object[], grouping = 'na'): Promise<unknown> => act({ type: 'order', orders, grouping });
const stop = (more: object = {}): object => order({ b: false, r: true, p: '80000', t: { trigger: { isMarket: true, triggerPx: '85000', tpsl: 'sl' } }, ...more });
const market = (more: object = {}): object => order({ p: '98000', t: { limit: { tif: 'Ioc' } }, ...more });

/** The errors the compiler has about the literals, each with the name of its type. */
function judged(literals: readonly Literal[]): string[] {
  const names = (room: Room): string => [...new Set(literals.filter((literal) => literal.room === room).map(({ type }) => type))].join(', ');
  const imports = (['info', 'exchange', 'subscription'] as const).map((room) => `import type { ${names(room)} } from '@nktkas/hyperliquid/api/${room}';`);
  const lines = literals.map(({ type, value }, index) => `export const literal${index}: ${type} = ${JSON.stringify(value)};`);
  const source = [...imports, ...lines].join('\n');
  const options: ts.CompilerOptions = { strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node20, moduleResolution: ts.ModuleResolutionKind.Node16 };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === FILE || fileExists.call(host, name);
  host.readFile = (name) => (name === FILE ? source : readFile.call(host, name));
  host.getSourceFile = (name, ...rest) => (name === FILE ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile.call(host, name, ...rest));
  const program = ts.createProgram([FILE], options, host);
  const file = program.getSourceFile(FILE);
  return program.getSemanticDiagnostics(file).map(({ start = 0, messageText }) => {
    const literal = literals[(file?.getLineAndCharacterOfPosition(start).line ?? 0) - imports.length];
    return `${literal?.type ?? 'imports'}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

/** What the account does, and what the venue says of it, in every shape it has. */
async function heardAndRead(): Promise<Literal[]> {
  const literals: Literal[] = [];
  const exchange = async (type: string, answer: Promise<unknown>): Promise<unknown> => {
    const value = await answer;
    literals.push({ type, room: 'exchange', value });
    return value;
  };
  const frames = new Map<string, unknown[]>();
  const socket = new WebSocket(`${simulator.url.replace('http', 'ws')}/ws`);
  socket.on('message', (data: Buffer) => {
    const { channel, data: told } = JSON.parse(data.toString('utf8')) as { channel: string; data: unknown };
    frames.set(channel, [...(frames.get(channel) ?? []), told]);
  });
  await new Promise((resolve) => socket.once('open', resolve));
  for (const type of ['orderUpdates', 'userFills', 'userFundings', 'userEvents', 'webData2', 'webData3', 'clearinghouseState', 'activeAssetData']) socket.send(JSON.stringify({ method: 'subscribe', subscription: { type, user, ...(type === 'activeAssetData' ? { coin: 'BTC' } : {}), ...(type === 'clearinghouseState' ? { dex: '' } : {}) } }));
  for (const type of ['l2Book', 'trades', 'bbo', 'activeAssetCtx']) socket.send(JSON.stringify({ method: 'subscribe', subscription: { type, coin: 'BTC' } }));
  for (const dex of ['', 'xyz']) socket.send(JSON.stringify({ method: 'subscribe', subscription: { type: 'allMids', ...(dex === '' ? {} : { dex }) } }));
  await until('every subscription', () => frames.get('subscriptionResponse')?.length === 14);

  const resting = (await exchange('OrderResponse', place([order({ c: CLOID }), order({ s: '500' })]))) as { response: { data: { statuses: { resting: { oid: number } }[] } } };
  const { oid } = resting.response.data.statuses[0]?.resting ?? { oid: 0 };
  await exchange('OrderResponse', place([market(), market({ p: '90000' })]));
  await exchange('OrderResponse', place([stop()]));
  await exchange('OrderResponse', place([order({ a: 2, p: '200', s: '1' }), stop({ a: 2, p: '150', s: '1', t: { trigger: { isMarket: true, triggerPx: '180', tpsl: 'sl' } } })], 'normalTpsl'));
  await exchange('OrderResponse', place([stop({ t: { trigger: { isMarket: false, triggerPx: '84000', tpsl: 'sl' } } })], 'positionTpsl'));
  await exchange('BatchModifyResponse', act({ type: 'batchModify', modifies: [{ oid, order: order({ p: '90001', c: CLOID }) }] }));
  await exchange('CancelByCloidResponse', act({ type: 'cancelByCloid', cancels: [{ asset: 0, cloid: CLOID }] }));
  await exchange('CancelResponse', act({ type: 'cancel', cancels: [{ a: 0, o: oid }] }));
  await exchange('UpdateLeverageResponse', act({ type: 'updateLeverage', asset: 1, isCross: false, leverage: 5 }));
  await exchange('NoopResponse', act({ type: 'noop' }));
  await exchange('OrderResponse', place([market({ a: 1, p: '3700', s: '1' })]));
  await sim.call('POST', '/__sim/funding', { symbol: 'BTC', rate: '0.0001' });
  await sim.call('POST', '/__sim/clock', { advanceMs: 61 * 60_000 });
  await sim.call('POST', '/__sim/prices', { symbol: 'BTC', price: '97100' });
  const channels = ['orderUpdates', 'userFills', 'userFundings', 'user', 'webData3', 'clearinghouseState', 'activeAssetData', 'l2Book', 'trades', 'bbo', 'activeAssetCtx', 'allMids'];
  await until('a message of every channel', () => channels.every((channel) => frames.has(channel)) && (frames.get('userFundings')?.length ?? 0) > 1);
  socket.close();
  // Of the older summary the SDK declares the read alone, which is the same.
  for (const value of frames.get('webData2') ?? []) literals.push({ type: 'WebData2Response', room: 'info', value });
  for (const channel of channels) {
    const type = channel === 'user' ? 'UserEventsEvent' : `${channel.charAt(0).toUpperCase()}${channel.slice(1)}Event`;
    for (const value of frames.get(channel) ?? []) literals.push({ type, room: 'subscription', value });
  }
  const req = { coin: 'BTC', interval: '1m', startTime: 0, endTime: Date.now() + 7_200_000 };
  const reads: readonly (readonly [string, object])[] = [
    ['Meta', { type: 'meta' }], ['Meta', { type: 'meta', dex: 'xyz' }], ['MetaAndAssetCtxs', { type: 'metaAndAssetCtxs' }], ['PerpDexs', { type: 'perpDexs' }], ['SpotMeta', { type: 'spotMeta' }], ['AllMids', { type: 'allMids' }],
    ['ExchangeStatus', { type: 'exchangeStatus' }], ['L2Book', { type: 'l2Book', coin: 'BTC' }], ['RecentTrades', { type: 'recentTrades', coin: 'BTC' }], ['CandleSnapshot', { type: 'candleSnapshot', req }], ['FundingHistory', { type: 'fundingHistory', coin: 'BTC', startTime: 0 }],
    ['PredictedFundings', { type: 'predictedFundings' }], ['ClearinghouseState', { type: 'clearinghouseState', user }], ['ClearinghouseState', { type: 'clearinghouseState', user, dex: 'xyz' }], ['SpotClearinghouseState', { type: 'spotClearinghouseState', user }],
    ['OpenOrders', { type: 'openOrders', user }], ['FrontendOpenOrders', { type: 'frontendOpenOrders', user }], ['OrderStatus', { type: 'orderStatus', user, oid: CLOID }], ['OrderStatus', { type: 'orderStatus', user, oid }], ['OrderStatus', { type: 'orderStatus', user, oid: 1 }],
    ['HistoricalOrders', { type: 'historicalOrders', user }], ['UserFills', { type: 'userFills', user }], ['UserFillsByTime', { type: 'userFillsByTime', user, startTime: 0 }], ['UserFunding', { type: 'userFunding', user, startTime: 0 }],
    ['UserNonFundingLedgerUpdates', { type: 'userNonFundingLedgerUpdates', user, startTime: 0 }], ['UserRateLimit', { type: 'userRateLimit', user }], ['UserFees', { type: 'userFees', user }], ['UserRole', { type: 'userRole', user }], ['UserRole', { type: 'userRole', user: addressOf(key) }],
    ['UserRole', { type: 'userRole', user: `0x${'9'.repeat(40)}` }], ['ExtraAgents', { type: 'extraAgents', user }], ['SubAccounts', { type: 'subAccounts', user }],
  ];
  for (const [type, request] of reads) literals.push({ type: `${type}Response`, room: 'info', value: await answerOf(postTo(simulator.url, '/info', request)) });
  return literals;
}

test('every answer and message is what the SDK declares, field by field; and the judge sees a field too few, one too many and a word nobody has', async () => {
  const literals = await heardAndRead();
  const wrong = (type: string, change: (value: object) => object): Literal[] => literals.filter((literal) => literal.type === type).slice(0, 1).map((literal) => ({ ...literal, value: change(literal.value as object) }));
  const planted = [
    ...wrong('ExchangeStatusResponse', (value) => ({ ...value, extra: 1 })),
    ...wrong('UserRateLimitResponse', (value) => Object.fromEntries(Object.entries(value).slice(1))),
    ...wrong('OrderUpdatesEvent', (value) => (value as { status: string }[]).map((update) => ({ ...update, status: 'frozen' }))),
  ];
  expect(planted).toHaveLength(3);
  const errors = judged([...literals, ...planted]);
  expect(errors.filter((error) => error.startsWith('ExchangeStatusResponse') || error.startsWith('UserRateLimitResponse') || error.includes('"frozen"'))).toHaveLength(3);
  expect(errors).toHaveLength(3);
}, 120_000);
