/** Speaks to a simulated Hyperliquid as a stranger's program would: signed actions and reads, as text over HTTP. */
import type { Address } from '../../../src/venues/ecdsa';
import { signAction } from '../../../src/venues/hyperliquid/signing';

export interface Sent {
  readonly nonce?: number;
  readonly expiresAfter?: number;
  readonly vaultAddress?: Address;
  readonly network?: 'mainnet' | 'testnet';
  /** Sent in the action's place, signed as the action was. */
  readonly forged?: object;
}

let last = 0;
/** A nonce nobody had, near the present time. */
export const freshNonce = (): number => (last = Math.max(last + 1, Date.now()));

export async function postTo(url: string, path: '/info' | '/exchange', body: object): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(new URL(path, url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

export function sendAction(url: string, privateKey: Uint8Array, action: object, { nonce = freshNonce(), expiresAfter, vaultAddress, network = 'testnet', forged }: Sent = {}): ReturnType<typeof postTo> {
  const signature = signAction(action, { nonce, vaultAddress: vaultAddress ?? null, expiresAfterMs: expiresAfter ?? null }, { privateKey, network });
  return postTo(url, '/exchange', { action: forged ?? action, nonce, signature, vaultAddress: vaultAddress ?? null, expiresAfter: expiresAfter ?? null });
}
