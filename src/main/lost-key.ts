/** What the operator says of a lost master key (SUREFILL_LOST_MASTER_KEY), once a worker starts: every way of running it has one. */
import { SettingError } from '../config/settings';
import { DomainError } from '../domain/errors';
import type { Platform } from './platform';

/** Who did it, in the audit chains of the accounts' users. */
const OPERATOR = 'setting:SUREFILL_LOST_MASTER_KEY';

/** @throws SettingError while a key at hand opens what it sealed. */
export async function giveUpLostKey({ settings, store, logger }: Pick<Platform, 'settings' | 'store' | 'logger'>): Promise<void> {
  const keyId = settings.lostMasterKey;
  if (keyId === undefined) return;
  try {
    const { accountIds, webhooks, channels } = await store.lostKeys.mark(keyId, OPERATOR);
    logger.warn({ keyId, accounts: accountIds, webhooks, channels }, 'what a lost master key sealed is given up: its accounts are halted until they have new keys, webhooks need their secrets rotated, channels of alerts their tokens; take SUREFILL_LOST_MASTER_KEY out');
  } catch (error) {
    if (error instanceof DomainError && error.code === 'CONFLICT') throw new SettingError(error.message);
    throw error;
  }
}
