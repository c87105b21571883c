/** A real EVM chain of a test's own: anvil's program out of its platform package, with contracts deployed and blocks mined on demand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createTestClient, createWalletClient, http, publicActions, type Account, type Address } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { lower } from '../../src/chains/evm-chain';
import type { Hex } from '../../src/domain/deposit';
import { freePort } from '../../src/main/launcher/ports';
import type { CompiledContract } from './test-contracts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** Anvil's own, known to everybody. */
const MNEMONIC = 'test test test test test test test test test test test junk';

export const USER = mnemonicToAccount(MNEMONIC, { addressIndex: 0 });
export const RELAYER = mnemonicToAccount(MNEMONIC, { addressIndex: 1 });

export interface TestChain {
  readonly id: number;
  readonly url: string;
  readonly client: ReturnType<typeof clientsOf>;
  deploy(contract: CompiledContract, args: readonly unknown[]): Promise<Hex>;
  /** Calls a contract and mines the block that holds it, unless told otherwise. */
  call(from: Account, to: Address, contract: CompiledContract, functionName: string, args: readonly unknown[], options?: { readonly value?: bigint }): Promise<Hex>;
  mine(blocks: number): Promise<void>;
  stop(): Promise<void>;
}

function clientsOf(id: number, url: string) {
  const chain = { id, name: `test ${id}`, nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [url] } } };
  return {
    test: createTestClient({ mode: 'anvil', chain, transport: http(url), cacheTime: 0, pollingInterval: 20 }).extend(publicActions),
    wallet: (account: Account) => createWalletClient({ account, chain, transport: http(url), cacheTime: 0 }),
  };
}

export async function startAnvil(id: number): Promise<TestChain> {
  const folder = path.dirname(require.resolve(`@foundry-rs/anvil-${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}/package.json`));
  const port = await freePort();
  const child = spawn(path.join(folder, 'bin', 'anvil'), ['--port', String(port), '--chain-id', String(id), '--silent', '--mnemonic', MNEMONIC, '--accounts', '3'], { stdio: 'ignore' });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const url = `http://127.0.0.1:${port}`;
  const client = clientsOf(id, url);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`anvil ended with ${child.exitCode}`);
    try {
      await client.test.getBlockNumber();
      break;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return {
    id,
    url,
    client,
    deploy: async (contract, args) => {
      const hash = await client.wallet(RELAYER).deployContract({ abi: contract.abi, bytecode: contract.bytecode, args: [...args] });
      const { contractAddress } = await client.test.waitForTransactionReceipt({ hash });
      if (contractAddress == null) throw new Error('the contract was not deployed');
      return lower(contractAddress);
    },
    call: (from, to, contract, functionName, args, { value } = {}) => client.wallet(from).writeContract({ address: to, abi: contract.abi, functionName, args: [...args], ...(value === undefined ? {} : { value }) }),
    mine: (blocks) => client.test.mine({ blocks }),
    stop: async () => {
      process.off('exit', end);
      const closed = once(child, 'close');
      end();
      await closed;
    },
  };
}
