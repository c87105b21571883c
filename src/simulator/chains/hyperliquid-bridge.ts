/**
 * The bridge of a simulated Hyperliquid on a chain of this machine: what comes to its contract is credited to its sender at the venue, and
 * what leaves the venue is paid out of the contract. The contract is an address without code; anvil sends in its name.
 */
import { parseAbiItem } from 'viem';
import type { Hex } from '../../domain/deposit';
import type { BridgePort } from '../wire/hyperliquid-bridge';
import { CONTRACTS } from './contracts';
import { lower, type LocalChain } from './local-chain';

const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
const UNITS = 1_000_000n;
const GAS = 10n ** 18n;

export interface HyperliquidBridgeOptions {
  readonly chain: LocalChain;
  readonly token: Hex;
  readonly contract: Hex;
  readonly venue: BridgePort;
}

export class HyperliquidBridgeSimulator {
  /** What was paid out: hashes by who asked, and the nonce, which is theirs alone. */
  readonly paid = new Map<string, Hex>();
  /** Off: what leaves the venue is paid later. */
  pays = true;
  private nextBlock = 0n;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly options: HyperliquidBridgeOptions) {}

  /** Carries over what has come on both sides since the last turn. Turns never overlap. */
  step(): Promise<void> {
    this.turn = this.turn.then(async () => {
      await this.takeIn();
      if (this.pays) await this.payOut();
    });
    return this.turn;
  }

  private async takeIn(): Promise<void> {
    const { chain: { client }, token, contract, venue } = this.options;
    const head = await client.test.getBlockNumber();
    if (head < this.nextBlock) return;
    const logs = await client.test.getLogs({ address: token, event: TRANSFER, args: { to: contract }, fromBlock: this.nextBlock, toBlock: head, strict: true });
    for (const { args } of logs) await venue.deposit(args.from, textOf(args.value));
    this.nextBlock = head + 1n;
  }

  private async payOut(): Promise<void> {
    const { chain: { client }, token, contract, venue } = this.options;
    for (const { user, destination, amount, nonce } of venue.exits()) {
      const name = `${user}/${nonce}`;
      if (this.paid.has(name)) continue;
      await client.test.impersonateAccount({ address: contract });
      await client.test.setBalance({ address: contract, value: GAS });
      const hash = await client.wallet({ address: contract, type: 'json-rpc' }).writeContract({ address: token, abi: CONTRACTS.token.abi, functionName: 'transfer', args: [destination as Hex, unitsOf(amount)] });
      this.paid.set(name, lower(hash));
    }
  }
}

function textOf(units: bigint): string {
  const fraction = (units % UNITS).toString().padStart(6, '0').replace(/0+$/, '');
  return `${units / UNITS}${fraction === '' ? '' : `.${fraction}`}`;
}

function unitsOf(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.');
  return BigInt(whole) * UNITS + BigInt(fraction.padEnd(6, '0'));
}
