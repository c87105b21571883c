/** `npm run simulator -- --venue paper|hyperliquid --port N …`: the simulator as a process. */
import { startPaperSimulator } from './index';
import { OptionsError, readOptions } from './options';

function fail(error: Error): never {
  const hint = error instanceof OptionsError ? ' (usage: npm run simulator -- --venue paper|hyperliquid --port N [--network testnet|mainnet] [--data f] [--speed x] [--seed n] [--home dir])' : '';
  process.stderr.write(`simulator: ${error.message}${hint}\n`);
  process.exit(1);
}

async function run(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  // Anyone who reaches the control API can credit accounts and arm faults: never in production.
  const control = options.control && process.env.NODE_ENV !== 'production';
  const simulator = await startPaperSimulator({ ...options, control, onFatal: fail });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    simulator.close().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`simulator venue=${options.venue} url=${simulator.url} source=${simulator.source}\n`);
}

run().catch(fail);
