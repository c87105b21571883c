import { choice, integer, optionalKey, optionalText, text } from './setting-kinds';

const DAY_MS = 86_400_000;

/** Deposits' rows of the table of settings. A chain's endpoints are named after it and are parsed in deposit-settings.ts. */
export const DEPOSIT_SETTINGS = {
  demo: choice({ env: 'SUREFILL_DEMO', default: 'off', words: ['off', 'on'], description: 'on: `npm start` brings two chains of its own, a bridge between them and a wallet with money, to try deposits (`npm start -- --demo`).' }),
  demoAnvil: optionalText({ env: 'SUREFILL_ANVIL', description: 'The program that the demo\'s chains run in. Absent: npm\'s own anvil, or the one on PATH.' }),
  depositChains: optionalText({ env: 'SUREFILL_DEPOSIT_CHAINS', description: 'Chains of deposits: a comma list of name:chain-id, like ethereum:1,arbitrum:42161. Absent: no deposits.' }),
  depositDestination: integer({ env: 'SUREFILL_DEPOSIT_DESTINATION', default: 42_161, min: 1, max: 999_999_999_999_999, description: 'Id of the chain where deposits arrive.' }),
  depositToken: text({ env: 'SUREFILL_DEPOSIT_TOKEN', default: '0xaf88d065e77c8cc2239327c5edb3a432268e5831', description: 'Address of the token that deposits become there: USDC.' }),
  depositTargets: text({ env: 'SUREFILL_DEPOSIT_TARGETS', default: '0x1231deb6f5749ef6ce6943a275a1d3e7486f4eae', description: 'Contracts that a deposit may call and approve, a comma list: LI.FI\'s diamond.' }),
  depositMinimum: text({ env: 'SUREFILL_DEPOSIT_MINIMUM', default: '1', description: 'What a deposit must bring at least, in that token.' }),
  depositMaximum: text({ env: 'SUREFILL_DEPOSIT_MAXIMUM', default: '100000', description: 'What a deposit may bring at most, in that token.' }),
  depositSeed: optionalKey({ env: 'SUREFILL_DEPOSIT_SEED', description: 'Deposit addresses are wallets derived from these 32 bytes, in base64 or hexadecimal: for test networks, whoever has it has them all. Absent: no deposits.' }),
  lifiUrl: text({ env: 'SUREFILL_LIFI_URL', default: 'https://li.quest/v1', description: 'Where LI.FI is asked for quotes and states.' }),
  lifiApiKey: optionalText({ env: 'SUREFILL_LIFI_API_KEY', secret: true, description: 'Raises what LI.FI answers per minute.' }),
  depositPollMs: integer({ env: 'SUREFILL_DEPOSIT_POLL_MS', default: 5_000, min: 10, max: DAY_MS, unit: 'ms', scaled: true, description: 'Between the first looks at a deposit, and between two reads of the chain where deposits arrive. Scaled.' }),
  depositMaxPollMs: integer({ env: 'SUREFILL_DEPOSIT_MAX_POLL_MS', default: 300_000, min: 10, max: DAY_MS, unit: 'ms', scaled: true, description: 'Looks at a deposit become rarer, up to this. Scaled.' }),
  depositExpireAfterMs: integer({ env: 'SUREFILL_DEPOSIT_EXPIRE_AFTER_MS', default: 1_800_000, min: 10, max: 30 * DAY_MS, unit: 'ms', description: 'A deposit that nobody signs ends after this.' }),
  depositDropAfterMs: integer({ env: 'SUREFILL_DEPOSIT_DROP_AFTER_MS', default: 1_800_000, min: 10, max: 30 * DAY_MS, unit: 'ms', scaled: true, description: 'A transaction that no node knows for so long counts as dropped. Scaled.' }),
  depositGraceMs: integer({ env: 'SUREFILL_DEPOSIT_GRACE_MS', default: 2 * DAY_MS, min: 10, max: 30 * DAY_MS, unit: 'ms', description: 'How long a bridge may take before a person looks at the deposit.' }),
  depositWatchAfterMs: integer({ env: 'SUREFILL_DEPOSIT_WATCH_AFTER_MS', default: 600_000, min: 10, max: DAY_MS, unit: 'ms', scaled: true, description: 'How long a credited deposit is looked at for a reorganisation. Scaled.' }),
  depositVenueLateMs: integer({ env: 'SUREFILL_DEPOSIT_VENUE_LATE_MS', default: 3_600_000, min: 1_000, max: DAY_MS, unit: 'ms', scaled: true, description: 'How long a venue may take to credit a deposit\'s transfer, or a chain to show what the venue paid back, before a person is told. Scaled.' }),
  depositClaimWithinMs: integer({ env: 'SUREFILL_DEPOSIT_CLAIM_WITHIN_MS', default: 1_800_000, min: 10, max: 30 * DAY_MS, unit: 'ms', scaled: true, description: 'How long a transfer waits for the deposit it may belong to before it is given to the only one that waits. Scaled.' }),
};
