/** Who holds users' wallets: a seed of the settings, a sealed seed of this home, or Privy. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { LocalSigner } from '../chains/local-signer';
import { PrivySigner } from '../chains/privy-signer';
import { SettingError, type Settings } from '../config/settings';
import type { KeyProvider } from '../domain/key-provider';
import type { WalletSigner } from '../domain/wallet-signer';
import { KEY_BYTES, open, seal, sealedOf, sealedText, type SealedText } from '../store/keys/envelope';
import { makeOnce, readIfThere } from '../store/keys/key-file';
import type { Store } from '../store';

const CONTEXT = { table: 'wallet-keystore', row: 'seed', field: 'seed' };

export interface SignerParts {
  readonly settings: Settings;
  readonly production: boolean;
  readonly store: Pick<Store, 'privyWallets'>;
  readonly keyProvider: KeyProvider;
}

/** null: none is configured. Throws SettingError where one is half configured, or holds keys in our process in production. */
export function walletSigner({ settings, production, store, keyProvider }: SignerParts): WalletSigner | null {
  if (settings.signer === 'privy') return privySigner(settings, store);
  if (settings.signer === 'seed' && settings.depositSeed === undefined) return null;
  if (production) throw new SettingError(`SUREFILL_SIGNER must be privy with NODE_ENV=production, got "${settings.signer}": keys that can move money do not lie in this process`);
  return settings.depositSeed !== undefined && settings.signer === 'seed' ? new LocalSigner(settings.depositSeed) : new KeystoreSigner(path.join(settings.home, 'wallet-keystore'), keyProvider);
}

function privySigner(settings: Settings, store: Pick<Store, 'privyWallets'>): WalletSigner {
  const { privyUrl: url, privyAppId: appId, privyAppSecret: appSecret, privyAuthorizationKey: authorizationKey, privyOwnerId: ownerId, privyPolicyId: policyId } = settings;
  if (appId === undefined || appSecret === undefined || authorizationKey === undefined || ownerId === undefined || policyId === undefined) {
    throw new SettingError('SUREFILL_SIGNER=privy needs SUREFILL_PRIVY_APP_ID, SUREFILL_PRIVY_APP_SECRET, SUREFILL_PRIVY_AUTHORIZATION_KEY, SUREFILL_PRIVY_OWNER_ID and SUREFILL_PRIVY_POLICY_ID');
  }
  try {
    return new PrivySigner({ url, appId, appSecret, authorizationKey, ownerId, policyId, book: store.privyWallets });
  } catch {
    // Not shown, nor what is wrong with it: it is a key.
    throw new SettingError('SUREFILL_PRIVY_AUTHORIZATION_KEY must be a P-256 key, PKCS #8 in base64');
  }
}

/** A seed that lies sealed by the master key in a file of its own, made on first use: whoever has only the file has no wallet. */
class KeystoreSigner implements WalletSigner {
  private opened: Promise<LocalSigner> | null = null;

  constructor(
    private readonly file: string,
    private readonly keys: KeyProvider,
  ) {}

  async addressOf(userId: string): ReturnType<WalletSigner['addressOf']> {
    return (await this.signer()).addressOf(userId);
  }

  async sign(request: Parameters<WalletSigner['sign']>[0]): ReturnType<WalletSigner['sign']> {
    return (await this.signer()).sign(request);
  }

  async signMessage(request: Parameters<WalletSigner['signMessage']>[0]): ReturnType<WalletSigner['signMessage']> {
    return (await this.signer()).signMessage(request);
  }

  private signer(): Promise<LocalSigner> {
    this.opened ??= openKeystore(this.file, this.keys).catch((error: unknown) => {
      this.opened = null;
      throw error;
    });
    return this.opened;
  }
}

export async function openKeystore(file: string, keys: KeyProvider): Promise<LocalSigner> {
  const sealed = JSON.parse(readIfThere(file) ?? (await makeKeystore(file, keys))) as SealedText;
  return new LocalSigner(await open(keys, sealedOf(sealed), CONTEXT));
}

async function makeKeystore(file: string, keys: KeyProvider): Promise<string> {
  return makeOnce(file, JSON.stringify(sealedText(await seal(keys, randomBytes(KEY_BYTES), CONTEXT))));
}
