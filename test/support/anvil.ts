/** A real EVM chain of a test's own: anvil's program out of its platform package, ended with the test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { anvilProgram } from '../../src/main/launcher/anvil';
import { freePort } from '../../src/main/launcher/ports';
import type { Hex } from '../../src/domain/deposit';
import { localChain, MNEMONIC, type LocalChain } from '../../src/simulator/chains/local-chain';

export { RELAYER, USER } from '../../src/simulator/chains/local-chain';

export interface TestChain extends LocalChain {
  stop(): Promise<void>;
}

export async function startAnvil(id: number): Promise<TestChain> {
  const program = anvilProgram();
  if (program === undefined) throw new Error(`there is no anvil for ${process.platform} ${process.arch} in node_modules`);
  const port = await freePort();
  const child = spawn(program, ['--port', String(port), '--chain-id', String(id), '--silent', '--mnemonic', MNEMONIC, '--accounts', '3'], { stdio: 'ignore' });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const chain = localChain(id, `http://127.0.0.1:${port}`);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`anvil ended with ${child.exitCode}`);
    try {
      await chain.client.test.getBlockNumber();
      break;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return {
    ...chain,
    stop: async () => {
      process.off('exit', end);
      const closed = once(child, 'close');
      end();
      await closed;
    },
  };
}

/** The same contract at another address, with the words that it stores. */
export async function copyContract(chain: LocalChain, from: Hex, to: Hex): Promise<void> {
  const { test: client } = chain.client;
  const bytecode = await client.getCode({ address: from });
  if (bytecode === undefined) throw new Error('there is nothing to copy');
  await client.setCode({ address: to, bytecode });
  for (const index of [3, 4]) {
    const value = await client.getStorageAt({ address: from, slot: `0x${index}` });
    if (value !== undefined) await client.setStorageAt({ address: to, index, value });
  }
}
