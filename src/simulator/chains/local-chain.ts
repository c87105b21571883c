/** A chain of this machine's own, run by anvil: contracts deployed, transactions signed by accounts that everybody knows, blocks mined on demand. */
import { createTestClient, createWalletClient, getContractAddress, http, publicActions, type Account, type Address } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import type { Hex } from '../../domain/deposit';
import type { CompiledContract } from './contracts';

/** Anvil's own, known to everybody: what these accounts hold is worth nothing on any other chain. */
export const MNEMONIC = 'test test test test test test test test test test test junk';
/** The wallet of whoever tries it. Anvil signs for it when asked by eth_sendTransaction. */
export const USER = mnemonicToAccount(MNEMONIC, { addressIndex: 0 });
/** Deploys, mints and pays. */
export const RELAYER = mnemonicToAccount(MNEMONIC, { addressIndex: 1 });
/** How often a receipt is looked for. Blocks come with their transactions, so that the first look finds it. */
const RECEIPT_POLL_MS = 20;

export type LocalClients = ReturnType<typeof clientsOf>;

export interface LocalChain {
  readonly id: number;
  readonly url: string;
  readonly client: LocalClients;
  deploy(contract: CompiledContract, args: readonly unknown[]): Promise<Hex>;
  /** Calls a contract; anvil mines the block that holds it, unless told otherwise. */
  call(from: Account, to: Address, contract: CompiledContract, functionName: string, args: readonly unknown[], options?: { readonly value?: bigint }): Promise<Hex>;
  mine(blocks: number): Promise<void>;
}

function clientsOf(id: number, url: string) {
  const chain = { id, name: `local ${id}`, nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [url] } } };
  return {
    test: createTestClient({ mode: 'anvil', chain, transport: http(url), cacheTime: 0, pollingInterval: RECEIPT_POLL_MS }).extend(publicActions),
    wallet: (account: Account) => createWalletClient({ account, chain, transport: http(url), cacheTime: 0 }),
  };
}

/** Nothing is asked of it yet. */
export function localChain(id: number, url: string): LocalChain {
  const client = clientsOf(id, url);
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
  };
}

/** Where the relayer's contract number `index` is: an address is a function of who deploys and their how manyth transaction it is. */
export function addressOfContract(index: number): Hex {
  return lower(getContractAddress({ from: RELAYER.address, nonce: BigInt(index) }));
}

/** The relayer's first transactions deploy these, in order. Those of an earlier start, also one that was cut short, stay. */
export async function ensureDeployed(chain: LocalChain, contracts: readonly { readonly contract: CompiledContract; readonly args: readonly unknown[] }[]): Promise<void> {
  for (const [index, { contract, args }] of contracts.entries()) {
    const address = addressOfContract(index);
    if ((await chain.client.test.getCode({ address })) !== undefined) continue;
    const deployed = await chain.deploy(contract, args);
    if (deployed !== address) throw new Error(`chain ${chain.id} was used by somebody else: contract ${index} is at ${deployed} instead of ${address}`);
  }
}

export function lower(hex: string): Hex {
  return hex.toLowerCase() as Hex;
}
