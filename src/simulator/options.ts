/** The simulator's command line. */
import { parseArgs } from 'node:util';
import { ALL_MARKETS, type PaperMarket, PAPER_MARKETS } from './market';
import { HYPERLIQUID_MARKETS } from './wire/hyperliquid-universe';

/** Time between two steps of the generated markets. */
export const DEFAULT_TICK_MS = 250;
const MAX_PORT = 65_535;

/** The venues whose protocol the simulator speaks. */
export const SIMULATED_VENUES = ['paper', 'hyperliquid'] as const;
export type SimulatedVenue = (typeof SIMULATED_VENUES)[number];
/** What each opens with unless told otherwise, and all it can open. */
export const MARKETS_OPENED: Readonly<Record<SimulatedVenue, readonly PaperMarket[]>> = { paper: PAPER_MARKETS, hyperliquid: HYPERLIQUID_MARKETS };
export const MARKETS_KNOWN: Readonly<Record<SimulatedVenue, readonly PaperMarket[]>> = { paper: ALL_MARKETS, hyperliquid: HYPERLIQUID_MARKETS };
/** hyperliquid's documented weight a minute and address. */
const HYPERLIQUID_WEIGHT_PER_MINUTE = 1_200;

export interface SimulatorOptions {
  readonly venue: SimulatedVenue;
  /** Which of a venue's networks it is; decides what signatures mean where the venue signs it in. */
  readonly network: 'mainnet' | 'testnet';
  /** Request weight each address may use a minute; paper has no limit. */
  readonly weightPerMinute: number;
  /** Hyperliquid takes a dead-man switch only of who has traded so much, in USD; its own figure is 1,000,000. */
  readonly switchVolume: number;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Path of a recording, or null: all markets are generated. */
  readonly data: string | null;
  /** Symbol of the market the recording feeds; null: as its messages or its file name say. */
  readonly dataMarket: string | null;
  /** Recording time per real time; 0: only replay requests move it. */
  readonly speed: number;
  readonly loop: boolean;
  readonly seed: number;
  /** 0: generated books stand still. */
  readonly tickMs: number;
  /** Folder of the journal, or null: nothing survives a restart. */
  readonly home: string | null;
  /** True: each commit also reaches the disk (a machine may die). False: it survives the death of the process. */
  readonly fsync: boolean;
  readonly control: boolean;
  readonly openAccounts: boolean;
  /** Symbols the venue opens with; all of them by default. */
  readonly markets: readonly string[];
}

export const DEFAULT_OPTIONS: SimulatorOptions = {
  venue: 'paper',
  // What the official SDK of Hyperliquid signs for any address but the mainnet's own.
  network: 'testnet',
  weightPerMinute: HYPERLIQUID_WEIGHT_PER_MINUTE,
  switchVolume: 0,
  host: '127.0.0.1',
  port: 0,
  data: null,
  dataMarket: null,
  speed: 1,
  loop: false,
  seed: 1,
  tickMs: DEFAULT_TICK_MS,
  home: null,
  fsync: false,
  control: true,
  openAccounts: true,
  markets: PAPER_MARKETS.map((market) => market.symbol),
};

/** A wrong argument: the message says which and what it should be. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** Reads the command line. Throws OptionsError. */
export function readOptions(args: readonly string[]): SimulatorOptions {
  const values = parse(args);
  const venue = SIMULATED_VENUES.find((candidate) => candidate === values.venue);
  if (venue === undefined) throw new OptionsError(`--venue must be ${SIMULATED_VENUES.join(' or ')}${values.venue === undefined ? '' : `, not ${values.venue}`}`);
  const network = values.network ?? DEFAULT_OPTIONS.network;
  if (network !== 'mainnet' && network !== 'testnet') throw new OptionsError(`--network must be mainnet or testnet, not ${network}`);
  const markets = values.markets === undefined ? MARKETS_OPENED[venue].map((market) => market.symbol) : values.markets.split(',');
  const known = MARKETS_KNOWN[venue].map((market) => market.symbol);
  for (const symbol of [...markets, ...(values['data-market'] === undefined ? [] : [values['data-market']])]) {
    if (!known.includes(symbol)) throw new OptionsError(`--markets, --data-market: no market ${symbol}; there are ${known.join(', ')}`);
  }
  return {
    venue,
    network,
    weightPerMinute: integer('weight-per-minute', values['weight-per-minute'], DEFAULT_OPTIONS.weightPerMinute, 1_000_000_000),
    switchVolume: integer('switch-volume', values['switch-volume'], DEFAULT_OPTIONS.switchVolume, 1_000_000_000),
    host: values.host ?? DEFAULT_OPTIONS.host,
    port: integer('port', values.port, DEFAULT_OPTIONS.port, MAX_PORT),
    data: values.data ?? DEFAULT_OPTIONS.data,
    dataMarket: values['data-market'] ?? DEFAULT_OPTIONS.dataMarket,
    speed: speedOf(values.speed),
    loop: values.loop ?? DEFAULT_OPTIONS.loop,
    seed: integer('seed', values.seed, DEFAULT_OPTIONS.seed, 0xffff_ffff),
    tickMs: integer('tick-ms', values['tick-ms'], DEFAULT_OPTIONS.tickMs, 3_600_000),
    home: values.home ?? DEFAULT_OPTIONS.home,
    fsync: values.fsync ?? DEFAULT_OPTIONS.fsync,
    control: values['no-control'] !== true,
    openAccounts: values['no-open-accounts'] !== true,
    markets,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        venue: { type: 'string' },
        network: { type: 'string' },
        'weight-per-minute': { type: 'string' },
        'switch-volume': { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        data: { type: 'string' },
        'data-market': { type: 'string' },
        speed: { type: 'string' },
        loop: { type: 'boolean' },
        seed: { type: 'string' },
        'tick-ms': { type: 'string' },
        home: { type: 'string' },
        fsync: { type: 'boolean' },
        'no-control': { type: 'boolean' },
        'open-accounts': { type: 'boolean' },
        'no-open-accounts': { type: 'boolean' },
        markets: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new OptionsError((error as Error).message, { cause: error });
  }
}

function integer(name: string, text: string | undefined, fallback: number, maximum: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value > maximum) throw new OptionsError(`--${name} must be an integer from 0 to ${maximum}, not ${text}`);
  return value;
}

function speedOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_OPTIONS.speed;
  const value = Number(text);
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(text)) throw new OptionsError(`--speed must be a number of at least 0, like 10 or 0.5, not ${text}`);
  return value;
}
