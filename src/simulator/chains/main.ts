/** The demo's bridge as a process: `main.js --port N --source id=url --destination id=url`. Listens once everything is there. */
import { parseArgs } from 'node:util';
import { BlockMaker, demoWorld, prepareDemo } from './demo';
import { LifiSimulator } from './lifi-simulator';
import { localChain, type LocalChain } from './local-chain';

/** As often as its chains mine. */
const ROUND_MS = 1_000;

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: 'string' }, source: { type: 'string' }, destination: { type: 'string' } } });
  const chains = [chainOf(values.source), chainOf(values.destination)] as const;
  const world = demoWorld(...chains);
  await prepareDemo(world);
  const lifi = new LifiSimulator(world);
  const url = await lifi.start(Number(values.port));
  process.stdout.write(`demo bridge url=${url} chains=${chains.map(({ id, url: at }) => `${id}=${at}`).join(',')}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
  await makeBlocks(chains, () => prepareDemo(world));
}

/** For ever. A chain that does not answer is being started again: the next round finds it. */
async function makeBlocks(chains: readonly LocalChain[], prepare: () => Promise<void>): Promise<void> {
  const makers = chains.map((chain) => new BlockMaker(chain));
  for (;;) {
    try {
      const lost = await Promise.all(makers.map((maker) => maker.round()));
      if (lost.includes(true)) await prepare();
    } catch (error) {
      process.stderr.write(`demo bridge: ${error instanceof Error ? error.message : String(error)}\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
}

function chainOf(text: string | undefined): LocalChain {
  const found = /^(\d+)=(http\S+)$/.exec(text ?? '');
  if (found?.[1] === undefined || found[2] === undefined) throw new Error(`a chain is given as id=url, not ${String(text)}`);
  return localChain(Number(found[1]), found[2]);
}

run().catch((error: unknown) => {
  process.stderr.write(`demo bridge: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
