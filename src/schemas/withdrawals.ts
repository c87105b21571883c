/** Withdrawals at the boundary. */
import { z } from 'zod';
import { NATIVE_TOKEN } from '../domain/deposit';
import { WITHDRAWAL_DECISIONS, WITHDRAWAL_STATES } from '../domain/withdrawal';
import { depositAddressSchema, depositRequestSchema } from './deposits';
import { decimalSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, timeSchema, uuidSchema } from './fields';

const addressSchema = depositRequestSchema.shape.fromAddress;
const payeeSchema = addressSchema.refine((address) => address !== NATIVE_TOKEN, 'must be somebody\'s address: the zero address is nobody\'s, and what is sent there is lost');
const shownHex = depositAddressSchema.shape.address;
const stateSchema = z.enum(WITHDRAWAL_STATES);

export const withdrawalRequestSchema = z
  .strictObject({
    amount: positiveDecimalSchema.meta({ description: 'In the token that deposits become.' }),
    toAddress: addressSchema.meta({ description: 'An address of your list that has waited its time.' }),
  })
  .meta({ id: 'WithdrawalRequest', examples: [{ amount: '25', toAddress: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8' }] });

export const withdrawalDecisionSchema = z.strictObject({ decision: z.enum(WITHDRAWAL_DECISIONS), note: z.string().min(1).max(500) }).meta({ id: 'WithdrawalDecision', examples: [{ decision: 'approve', note: 'asked for on the phone' }] });

export const withdrawalSchema = z
  .strictObject({
    id: uuidSchema,
    userId: z.string(),
    state: stateSchema,
    reason: z.string().nullable().meta({ description: 'Why it is where it is: NO_GAS (the wallet needs the chain\'s coin), SIGNER_SILENT, RESTORED (asked for before the database was restored: it may have been paid, compare the chain), FEE_RAISED, REVERTED, NONCE_TAKEN, and others.' }),
    token: depositAddressSchema.shape.token,
    amount: decimalSchema,
    fromAddress: shownHex,
    toAddress: shownHex,
    requestedBy: z.string().meta({ description: 'Who asked for it: the API key.' }),
    decidedBy: z.string().nullable().meta({ description: 'Who approved or refused it: always another key.' }),
    note: z.string().nullable(),
    transaction: z
      .strictObject({ nonce: z.number().int(), hash: shownHex, earlierHashes: z.array(shownHex), confirmations: z.number().int(), neededConfirmations: z.number().int(), gasFee: decimalSchema.nullable() })
      .nullable()
      .meta({ description: 'Absent until it is signed. At most one of its hashes is ever mined: they share a nonce.' }),
    funding: z.strictObject({ depositId: uuidSchema, accountId: z.string() }).optional().meta({ description: 'Present where a deposit goes on to the account of a venue. FAILED then says why (BELOW_VENUE_MINIMUM, OTHER_WALLET, WALLET_SPENT, and others): the money is in the wallet.' }),
    revision: z.number().int(),
    approveBefore: timeSchema,
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Withdrawal' });

export const withdrawalPageSchema = z.strictObject({ withdrawals: z.array(withdrawalSchema), nextCursor: nextCursorSchema }).meta({ id: 'WithdrawalPage' });
export const withdrawalListQuerySchema = z.strictObject({ state: stateSchema.optional(), ...pageQuery });
export const withdrawalTimelineSchema = z
  .strictObject({ withdrawalId: uuidSchema, steps: z.array(z.strictObject({ number: z.number().int(), at: timeSchema, fact: z.string(), state: stateSchema, data: z.record(z.string(), z.unknown()) })) })
  .meta({ id: 'WithdrawalTimeline' });

export const withdrawalAddressRequestSchema = z
  .strictObject({ address: payeeSchema, label: z.string().min(1).max(64).meta({ examples: ['cold wallet'] }) })
  .meta({ id: 'WithdrawalAddressRequest', examples: [{ address: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8', label: 'cold wallet' }] });
export const withdrawalAddressSchema = z
  .strictObject({ id: uuidSchema, userId: z.string(), address: shownHex, label: z.string(), createdAt: timeSchema, usableAt: timeSchema.meta({ description: 'Withdrawals may go to it from then on.' }), removedAt: timeSchema.nullable() })
  .meta({ id: 'WithdrawalAddress' });
export const withdrawalAddressListSchema = z.strictObject({ addresses: z.array(withdrawalAddressSchema) }).meta({ id: 'WithdrawalAddressList' });
