/** The simulator's command line. */
import { parseArgs } from 'node:util';
import { ALL_MARKETS, PAPER_MARKETS } from './market';

/** Time between two steps of the generated markets. */
export const DEFAULT_TICK_MS = 250;
const MAX_PORT = 65_535;

export interface SimulatorOptions {
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
  if (values.venue !== 'paper') throw new OptionsError(`--venue must be paper${values.venue === undefined ? '' : `, not ${values.venue}`}`);
  const markets = values.markets === undefined ? DEFAULT_OPTIONS.markets : values.markets.split(',');
  const known = ALL_MARKETS.map((market) => market.symbol);
  for (const symbol of [...markets, ...(values['data-market'] === undefined ? [] : [values['data-market']])]) {
    if (!known.includes(symbol)) throw new OptionsError(`--markets, --data-market: no market ${symbol}; there are ${known.join(', ')}`);
  }
  return {
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
