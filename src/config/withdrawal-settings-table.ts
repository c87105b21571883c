import { choice, integer, optionalText, text } from './setting-kinds';

const DAY_MS = 86_400_000;

/** Rows of the table of settings for what leaves users' wallets, and for who holds these. */
export const WITHDRAWAL_SETTINGS = {
  signer: choice({ env: 'SUREFILL_SIGNER', default: 'seed', words: ['seed', 'keystore', 'privy'], description: 'Who holds users\' wallets: seed (SUREFILL_DEPOSIT_SEED), keystore (a seed sealed in $SUREFILL_HOME/wallet-keystore, made on first use), privy. With NODE_ENV=production only privy is taken.' }),
  privyUrl: text({ env: 'SUREFILL_PRIVY_URL', default: 'https://api.privy.io', description: 'Where Privy is asked for wallets and signatures, without a trailing slash.' }),
  privyAppId: optionalText({ env: 'SUREFILL_PRIVY_APP_ID', description: 'Id of the Privy app whose wallets these are.' }),
  privyAppSecret: optionalText({ env: 'SUREFILL_PRIVY_APP_SECRET', secret: true, description: 'Secret of that app.' }),
  privyAuthorizationKey: optionalText({ env: 'SUREFILL_PRIVY_AUTHORIZATION_KEY', secret: true, description: 'P-256 key that authorizes signatures, PKCS #8 in base64, as Privy\'s dashboard gives it.' }),
  privyOwnerId: optionalText({ env: 'SUREFILL_PRIVY_OWNER_ID', description: 'Key quorum at Privy that owns the wallets.' }),
  privyPolicyId: optionalText({ env: 'SUREFILL_PRIVY_POLICY_ID', description: 'Policy at Privy that bounds what wallets may sign.' }),
  withdrawalMinimum: text({ env: 'SUREFILL_WITHDRAWAL_MINIMUM', default: '5', description: 'The least of one withdrawal, in the token that deposits become.' }),
  withdrawalMaximum: text({ env: 'SUREFILL_WITHDRAWAL_MAXIMUM', default: '10000', description: 'The most of one withdrawal, in that token.' }),
  withdrawalPerDay: text({ env: 'SUREFILL_WITHDRAWAL_PER_DAY', default: '20000', description: 'What a user may withdraw within 24 hours, in that token.' }),
  withdrawalAddressWaitMs: integer({ env: 'SUREFILL_WITHDRAWAL_ADDRESS_WAIT_MS', default: DAY_MS, min: 0, max: 30 * DAY_MS, unit: 'ms', description: 'How long a new address of the list waits before withdrawals may go to it.' }),
  withdrawalApproveWithinMs: integer({ env: 'SUREFILL_WITHDRAWAL_APPROVE_WITHIN_MS', default: DAY_MS, min: 1_000, max: 30 * DAY_MS, unit: 'ms', description: 'A withdrawal that nobody approves ends after this, and its amount is free again.' }),
  withdrawalRaiseFeeAfterMs: integer({ env: 'SUREFILL_WITHDRAWAL_RAISE_FEE_AFTER_MS', default: 120_000, min: 1_000, max: DAY_MS, unit: 'ms', scaled: true, description: 'A transaction whose fee the chain has outgrown is signed with a higher one after this. Scaled.' }),
};
