import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { loadSettings, type Settings } from '../../../src/config/settings';
import { openKeystore, walletSigner } from '../../../src/main/wallet-signer';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import { temporaryFolder } from '../../support/servers';

const keyProvider = environmentKeyProvider([createHash('sha256').update('a key of the tests').digest()]);
const otherKeys = environmentKeyProvider([createHash('sha256').update('another').digest()]);
const book = { walletOf: () => Promise.resolve(null), keepWallet: () => Promise.reject(new Error('not asked for')) };
const signerOf = (environment: Readonly<Record<string, string | undefined>>, production = false) =>
  walletSigner({ settings: loadSettings(environment) satisfies Settings, production, store: { privyWallets: book as never }, keyProvider });

test('wallets of a seed are the same for the same user, and another user\'s are others', async () => {
  const seed = { SUREFILL_DEPOSIT_SEED: 'ab'.repeat(32) };
  const [ada, again, bob] = [await signerOf(seed)?.addressOf('ada'), await signerOf(seed)?.addressOf('ada'), await signerOf(seed)?.addressOf('bob')];
  expect(ada).toMatch(/^0x[0-9a-f]{40}$/);
  expect([again === ada, bob === ada]).toEqual([true, false]);
});

test('without a seed nobody holds wallets', () => {
  expect(signerOf({})).toBeNull();
});

test('in production keys do not lie in this process', () => {
  for (const given of [{ SUREFILL_DEPOSIT_SEED: 'ab'.repeat(32) }, { SUREFILL_SIGNER: 'keystore' }]) expect(() => signerOf(given, true)).toThrow('SUREFILL_SIGNER must be privy');
});

test('Privy is taken whole or not at all, and a key that is none is not shown', () => {
  expect(() => signerOf({ SUREFILL_SIGNER: 'privy', SUREFILL_PRIVY_APP_ID: 'app' }, true)).toThrow('SUREFILL_PRIVY_APP_SECRET');
  const whole = { SUREFILL_SIGNER: 'privy', SUREFILL_PRIVY_APP_ID: 'app', SUREFILL_PRIVY_APP_SECRET: 's', SUREFILL_PRIVY_OWNER_ID: 'o', SUREFILL_PRIVY_POLICY_ID: 'p', SUREFILL_PRIVY_AUTHORIZATION_KEY: 'bm8ga2V5' };
  expect(() => signerOf(whole)).toThrow(/^SUREFILL_PRIVY_AUTHORIZATION_KEY must be a P-256 key, PKCS #8 in base64$/);
});

test('a keystore is made once, whoever starts first, readable by its owner only, and opens under its own key only', async () => {
  const file = path.join(temporaryFolder('keystore'), 'wallet-keystore');
  const made = await Promise.all(Array.from({ length: 5 }, () => openKeystore(file, keyProvider)));
  const addresses = await Promise.all(made.map((signer) => signer.addressOf('ada')));
  expect(new Set(addresses).size).toBe(1);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object)).toEqual(['keyId', 'wrappedKey', 'data']);
  await expect(openKeystore(file, otherKeys)).rejects.toThrow('is not at hand');
});
