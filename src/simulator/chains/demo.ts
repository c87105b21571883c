/** What makes two local chains a place to try deposits in: contracts, a wallet with money, and blocks while there is something to confirm. */
import { CONTRACTS } from './contracts';
import { deployLifi, lifiWorld, type LifiWorld } from './lifi-world';
import { RELAYER, USER, type LocalChain } from './local-chain';

const SYMBOL = 'DAI';
/** So that the deposit is seen to wait for its bridge. */
const PAYS_AFTER_BLOCKS = 6;
/** A coin of 3,000: near enough to believe the quote. */
const COIN_PRICE_CENTS = 300_000n;
/** What the wallet holds at first, in the token's smallest unit; it gets the same again when it has less than a tenth. */
const FUNDS = 1_000_000n * 10n ** 18n;
/** Wallets of users get their gas with what the bridge pays them: nobody wants to learn about gas here. */
const GAS = 10n ** 18n;
/** A chain is quiet when so many blocks follow its last transaction: whoever waits for confirmations has them. */
export const SETTLING_BLOCKS = 12n;

export function demoWorld(source: LocalChain, destination: LocalChain): LifiWorld {
  return lifiWorld(source, destination, { symbol: SYMBOL }, {
    paysAfterBlocks: PAYS_AFTER_BLOCKS,
    coinPriceCents: COIN_PRICE_CENTS,
    beforePaying: async (receiver) => {
      if ((await destination.client.test.getBalance({ address: receiver })) < GAS) await destination.client.test.setBalance({ address: receiver, value: GAS });
    },
  });
}

/** Deploys what is missing and fills the wallet. Again, it changes nothing. */
export async function prepareDemo(world: LifiWorld): Promise<void> {
  await deployLifi(world);
  const { source, from } = world;
  const held = (await source.client.test.readContract({ address: from.address, abi: CONTRACTS.token.abi, functionName: 'balanceOf', args: [USER.address] })) as bigint;
  if (held < FUNDS / 10n) await source.call(RELAYER, from.address, CONTRACTS.token, 'mint', [USER.address, FUNDS]);
}

/** Mines after transactions, and then no more: a chain that mined for ever would fill the disk of whoever forgets it. */
export class BlockMaker {
  private seen: bigint | null = null;
  private until = 0n;

  constructor(private readonly chain: LocalChain) {}

  /** One round, each second. true: the chain has lost blocks since the last round, as after a kill of its program. */
  async round(): Promise<boolean> {
    const { test } = this.chain.client;
    const head = await test.getBlockNumber();
    const lost = this.seen !== null && head < this.seen;
    // What was sent shortly before this process began waits as well.
    const from = this.seen === null || lost ? (head > SETTLING_BLOCKS ? head - SETTLING_BLOCKS : 0n) : this.seen;
    if (lost) this.until = 0n;
    for (let number = from + 1n; number <= head; number += 1n) {
      if ((await test.getBlock({ blockNumber: number })).transactions.length > 0) this.until = number + SETTLING_BLOCKS;
    }
    this.seen = head;
    if (head < this.until) await this.chain.mine(1);
    return lost;
  }
}
