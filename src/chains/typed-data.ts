/** EIP-712 messages as viem and wallets' servers take them. */
import type { TypedMessage } from '../domain/wallet-signer';

export function typedDataOf({ domain, primaryType, fields, message }: TypedMessage) {
  return { domain: { ...domain }, types: { [primaryType]: fields.map((field) => ({ ...field })) }, primaryType, message: { ...message } };
}

/** The domain's own type is part of what eth_signTypedData_v4 is given. */
export const DOMAIN_FIELDS = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
] as const;
