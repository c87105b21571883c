/** A simulated venue as a server of its own: in a test's process, or as the process that main.ts starts. */
import { OptionsError, DEFAULT_OPTIONS, MARKETS_KNOWN, MARKETS_OPENED, type SimulatorOptions } from './options';
import { openRecording } from './recordings';
import { PaperVenue } from './paper-venue';
import { PaperServer, hostText, type WireProtocol } from './server';
import type { BridgePort } from './wire/hyperliquid-bridge';
import { hyperliquidWire } from './wire/hyperliquid';
import { paperWire } from './wire/paper';

export interface StartedSimulator {
  readonly url: string;
  readonly wsUrl: string;
  /** The control API's own address: it answers even while the venue was told not to listen. Empty without control. */
  readonly controlUrl: string;
  readonly port: number;
  /** Where the prices come from, in words. */
  readonly source: string;
  /** The venue itself, for tests in the same process. */
  readonly venue: PaperVenue;
  /** Of a venue with a bridge to a chain: what stands on that chain asks this of it. */
  readonly bridge: BridgePort | undefined;
  /** Stops listening, ends connections, writes the journal out. */
  close(): Promise<void>;
}

export interface StartOptions extends Partial<SimulatorOptions> {
  /** Milliseconds since 1970; Date.now by default. */
  readonly realNow?: () => number;
  /** Lines for the operator: standard error by default. */
  readonly warn?: (line: string) => void;
  /** Told when the journal cannot be written any more; throws by default. */
  readonly onFatal?: (error: Error) => void;
}

/** Starts a venue (paper unless `venue` says otherwise). Rejects with a clear message when the port, the home folder or the recording is wrong. */
export async function startPaperSimulator(given: StartOptions = {}): Promise<StartedSimulator> {
  const options = { ...DEFAULT_OPTIONS, ...(given.venue === undefined ? {} : { markets: MARKETS_OPENED[given.venue].map((market) => market.symbol) }), ...given };
  const wanted = await symbolsOf(options);
  const markets = MARKETS_KNOWN[options.venue].filter((market) => wanted.has(market.symbol));
  if (markets.length === 0) throw new OptionsError('no market is left to open');
  const venue = new PaperVenue({
    ...options,
    markets,
    realNow: given.realNow ?? Date.now,
    warn: given.warn ?? ((line) => process.stderr.write(`${line}\n`)),
    onFatal: given.onFatal ?? rethrow,
  });
  await venue.start();
  const wire: WireProtocol = options.venue === 'hyperliquid' ? hyperliquidWire(venue, options) : paperWire(venue);
  const server = new PaperServer(venue, options, wire);
  try {
    await server.start();
  } catch (error) {
    await venue.stop();
    throw error;
  }
  const authority = `${hostText(options.host)}:${server.port}`;
  return {
    url: `http://${authority}`,
    wsUrl: `ws://${authority}/ws`,
    controlUrl: options.control ? `http://${hostText(options.host)}:${server.controlPort}` : '',
    port: server.port,
    source: venue.prices.describe(),
    venue,
    bridge: wire.bridge,
    close: async () => {
      await server.stop();
      await venue.stop();
    },
  };
}

/** The markets to open: those asked for, and the one a recording is of. */
async function symbolsOf({ venue, markets, data, dataMarket }: SimulatorOptions): Promise<ReadonlySet<string>> {
  const recorded = data === null ? [] : [(await openRecording(data, MARKETS_KNOWN[venue], dataMarket)).market.symbol];
  return new Set([...markets, ...recorded]);
}

/** Thrown outside of any promise: a venue that cannot keep its journal must not go on. */
function rethrow(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
