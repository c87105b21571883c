/** The first start makes an owner, its key in a file only it can read, and an account named `paper`. Later starts find them. */
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_RISK_LIMITS } from '../domain/account';
import type { Platform } from './platform';

export const PAPER_ACCOUNT = 'paper';

/** Owner of everything: read and write for the owner, nothing for others. */
const KEY_FILE_MODE = 0o600;

export async function ensureOwner({ store, settings, logger }: Platform): Promise<void> {
  const { user, apiKey } = await store.users.ensureOwner();
  const file = path.join(settings.home, 'owner-key');
  // The key is shown once: a file that is gone means a new key, the old one stays valid until it is revoked.
  const key = apiKey ?? (existsSync(file) ? null : (await store.users.createApiKey(user.id, 'owner', ['read', 'trade', 'admin'])).plain);
  if (key !== null) {
    const draft = `${file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(draft, `${key}\n`, { mode: KEY_FILE_MODE });
    chmodSync(draft, KEY_FILE_MODE);
    renameSync(draft, file);
    logger.info({ file }, 'wrote the owner\'s API key');
  }
  const paper = settings.venues.find((venue) => venue.adapter === 'paper');
  if (paper === undefined || (await store.accounts.list(user.id)).some((account) => account.name === PAPER_ACCOUNT)) return;
  const id = randomUUID();
  await store.accounts.create({ id, userId: user.id, name: PAPER_ACCOUNT, venue: paper.name, signerId: id, credential: newPaperCredential(), limits: DEFAULT_RISK_LIMITS });
  logger.info({ accountId: id }, 'made the account named paper');
}

/** The paper venue makes an account for a key it sees for the first time. */
export function newPaperCredential(): { readonly key: string } {
  return { key: `paper-${randomBytes(16).toString('hex')}` };
}
