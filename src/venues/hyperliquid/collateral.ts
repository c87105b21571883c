/** Moving collateral between an account's own dexes. An agent may do that and no more: its destination is always the account itself. */
import type { CollateralTransfer } from '../../domain/venue';
import { VenueRefused } from '../../domain/venue-errors';
import { actionBody, type ActionSigner } from './actions';
import { chainName, SIGNATURE_CHAIN_ID, signUserAction, wireDecimal } from './signing';

/** The venue's names of pools: '' its own dex, `spot`, or a HIP-3 dex. */
const POOL = /^[a-z0-9]{0,16}$/;

/**
 * The body of the transfer: `agentSendAsset`, an L1 action, where an agent signs; `sendAsset`, signed as a user's, where the
 * account's own key does. Throws VenueRefused on what is no transfer.
 */
export function transferBody(signer: ActionSigner, who: { readonly agent: string; readonly owner: string }, transfer: CollateralTransfer, { token, nonce }: { readonly token: string; readonly nonce: string }): string {
  const { fromPool, toPool, amount } = transfer;
  if (!POOL.test(fromPool) || !POOL.test(toPool) || fromPool === toPool) throw new VenueRefused(signer.venue, 'other', 'BAD_POOL', `${signer.venue} moves collateral between two of: '' (its own dex), spot, and the names of dexes; got '${fromPool}' and '${toPool}'`);
  const common = { destination: signer.vaultAddress ?? who.owner, sourceDex: fromPool, destinationDex: toPool, token, amount: wireDecimal(amount), fromSubAccount: signer.vaultAddress ?? '' };
  // A transfer names the account itself; the sub-account is named inside it.
  if (who.agent !== who.owner) return actionBody({ ...signer, vaultAddress: null }, { type: 'agentSendAsset', ...common, nonce: Number(nonce) }, nonce, null);
  const action = { type: 'sendAsset', signatureChainId: SIGNATURE_CHAIN_ID, hyperliquidChain: chainName(signer.network), ...common, nonce: Number(nonce) };
  const signature = signUserAction('HyperliquidTransaction:SendAsset', action, signer);
  return JSON.stringify({ action, nonce: Number(nonce), signature, vaultAddress: null, expiresAfter: null });
}
