/** The call of ERC-20's transfer: written out, so that nothing but the receiver and the exact amount can be in it. */
import type { Hex } from '../domain/deposit';

/** The first four bytes of keccak256("transfer(address,uint256)"). */
const TRANSFER = 'a9059cbb';
const WORD = 64;

/** `units`: a whole number in the token's smallest unit. */
export function transferData(to: Hex, units: string): Hex {
  return `0x${TRANSFER}${to.slice(2).toLowerCase().padStart(WORD, '0')}${BigInt(units).toString(16).padStart(WORD, '0')}`;
}
