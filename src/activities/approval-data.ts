/** The call of ERC-20's approve: written out, so that nothing but the spender and the exact amount can be in it. */
import type { Hex } from '../domain/deposit';

/** The first four bytes of keccak256("approve(address,uint256)"). */
const APPROVE = '095ea7b3';
const WORD = 64;

/** `units`: a whole number in the token's smallest unit. */
export function approvalData(spender: Hex, units: string): Hex {
  return `0x${APPROVE}${spender.slice(2).toLowerCase().padStart(WORD, '0')}${BigInt(units).toString(16).padStart(WORD, '0')}`;
}
