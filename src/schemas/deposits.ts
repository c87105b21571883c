/** Deposits at the boundary. */
import { checksumAddress } from 'viem';
import { z } from 'zod';
import { DEPOSIT_STATES } from '../domain/deposit';
import { DEPOSIT_DECISIONS } from '../domain/deposit-state';
import { fundedOrderSchema, thenOrderSchema } from './then-order';
import { decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, timeSchema, uuidSchema } from './fields';

const lowerHex = (text: string): `0x${string}` => `0x${text.slice(2).toLowerCase()}`;
const hexText = (bytes: number, what: string) =>
  z.string().regex(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), { error: `must be ${what}: 0x and ${bytes * 2} hexadecimal digits`, abort: true });
const isOneCase = (digits: string): boolean => digits === digits.toLowerCase() || digits === digits.toUpperCase();
const EXAMPLE_ADDRESS = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
/**
 * Money goes there: of an address in mixed case its checksum is held to (EIP-55), so that a mistyped one is found. Examples stand before the
 * transformation: the document shows what is sent.
 */
const addressSchema = hexText(20, 'an address')
  .refine((text) => isOneCase(text.slice(2)) || checksumAddress(text as `0x${string}`) === text, 'has a wrong checksum: it is mistyped, or was not copied whole (in lower case it has none)')
  .meta({ examples: [EXAMPLE_ADDRESS] })
  .transform(lowerHex);
const hashSchema = hexText(32, 'a transaction hash').meta({ examples: [`0x${'ab'.repeat(32)}`] }).transform(lowerHex);

/** As the domain has them: addresses, hashes and data. */
const shownHex = z.string().regex(/^0x[0-9a-f]*$/).meta({ examples: ['0x00000000000000000000000000000000000000aa'] });

export const depositRequestSchema = z
  .strictObject({
    chain: z.union([z.number().int().min(1).max(Number.MAX_SAFE_INTEGER), z.string().regex(/^[a-z0-9-]{1,31}$/, 'must be a chain\'s id or name')]).meta({ description: 'The source chain: its id, or its name in the settings.', examples: ['ethereum'] }),
    token: z.string().regex(/^(0x[0-9a-fA-F]{40}|[A-Za-z0-9._-]{1,20})$/, 'must be a token\'s address or symbol').meta({ description: 'Address or symbol. ETH, or the zero address, is the chain\'s own coin.', examples: ['USDT'] }),
    amount: positiveDecimalSchema.meta({ description: 'In the token\'s unit.' }),
    fromAddress: addressSchema.meta({ description: 'The wallet that will sign.' }),
    destination: z.strictObject({ accountId: idSchema, thenOrder: thenOrderSchema.optional().meta({ description: 'What is done there once the venue has credited the money. Checked now as an order list would be; placed once, under an id that is a function of the deposit\'s.' }) }).optional().meta({ description: 'An account that what arrives goes on to, where its venue takes deposits from this chain (Hyperliquid\'s bridge): the transfer is a withdrawal with `funding`. Absent: it stays in the wallet.' }),
    transactionHash: hashSchema.optional().meta({ description: 'Where the deposit\'s transaction is sent already: only one that was quoted for this deposit is taken.' }),
  })
  .meta({ id: 'DepositRequest', examples: [{ chain: 'ethereum', token: 'USDT', amount: '100', fromAddress: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8' }] });

export const depositTransactionSchema = z.strictObject({ hash: hashSchema }).meta({ id: 'DepositTransaction' });
export const depositDecisionSchema = z.strictObject({ decision: z.enum(DEPOSIT_DECISIONS), note: z.string().min(1).max(500) }).meta({ id: 'DepositDecision', examples: [{ decision: 'resume', note: 'the bridge says it will be paid today' }] });

const tokenSchema = z.strictObject({ chainId: z.number().int(), address: shownHex, symbol: z.string(), decimals: z.number().int() });
const transactionSchema = { chainId: z.number().int(), to: shownHex, data: shownHex, value: decimalSchema.meta({ description: 'In wei.' }) };

export const depositQuoteSchema = z
  .strictObject({
    tool: z.string(),
    receive: decimalSchema,
    minimumReceived: decimalSchema,
    fees: z.array(z.strictObject({ name: z.string(), asset: z.string(), amount: decimalSchema, amountUsd: z.string().nullable(), included: z.boolean() })),
    durationSeconds: z.number().int(),
    transaction: z.strictObject(transactionSchema).meta({ description: 'What to sign.' }),
    approval: z.strictObject({ ...transactionSchema, token: shownHex, spender: shownHex, amount: decimalSchema }).nullable().meta({ description: 'What to sign before, of exactly the amount; null where enough is approved.' }),
    quotedAt: timeSchema,
    expiresAt: timeSchema.meta({ description: 'Ask for a new quote instead of signing this one later.' }),
  })
  .meta({ id: 'DepositQuote' });

export const bridgeReportSchema = z.strictObject({ status: z.string(), substatus: z.string().nullable(), message: z.string().nullable(), receivingHash: shownHex.nullable(), at: timeSchema }).meta({ id: 'BridgeReport', description: 'What the bridge says. It moves no money here.' });
const stateSchema = z.enum(DEPOSIT_STATES);

export const depositSchema = z
  .strictObject({
    id: uuidSchema,
    userId: z.string(),
    kind: z.enum(['bridge', 'direct']),
    state: stateSchema,
    reason: z.string().nullable(),
    from: tokenSchema,
    amount: decimalSchema,
    fromAddress: shownHex,
    to: tokenSchema,
    toAddress: shownHex,
    quote: depositQuoteSchema.nullable(),
    source: z
      .strictObject({ hash: shownHex, earlierHashes: z.array(shownHex), nonce: z.number().int().nullable(), blockNumber: z.number().int().nullable(), blockHash: shownHex.nullable(), confirmations: z.number().int(), neededConfirmations: z.number().int(), gasFee: decimalSchema.nullable(), l1Fee: decimalSchema.nullable() })
      .nullable(),
    bridge: bridgeReportSchema.nullable(),
    received: z.array(z.strictObject({ asset: z.string(), amount: decimalSchema, txHash: shownHex })).meta({ description: 'What final transfers brought: this is what is credited.' }),
    refunds: z.array(z.strictObject({ amount: decimalSchema, txHash: shownHex })),
    sourceOutcome: z.enum(['final', 'reverted']).nullable(),
    writtenOff: z.boolean(),
    destination: z.strictObject({ accountId: z.string(), fundingId: uuidSchema.meta({ description: 'The withdrawal that takes it there; it exists once the deposit is CREDITED.' }), thenOrder: z.record(z.string(), z.unknown()).optional().meta({ description: 'As it was asked for.' }), order: fundedOrderSchema.optional() }).nullable().optional(),
    revision: z.number().int(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    progress: z.strictObject({ step: z.number().int(), of: z.number().int(), percent: z.number().int() }),
  })
  .meta({ id: 'Deposit' });

export const depositPageSchema = z.strictObject({ deposits: z.array(depositSchema), nextCursor: nextCursorSchema }).meta({ id: 'DepositPage' });
export const depositListQuerySchema = z.strictObject({ state: stateSchema.optional(), ...pageQuery });
export const depositAddressSchema = z.strictObject({ address: shownHex, token: tokenSchema }).meta({ id: 'DepositAddress' });
export const swapStatusSchema = z.strictObject({ depositId: uuidSchema, state: stateSchema, bridge: bridgeReportSchema.nullable(), progress: depositSchema.shape.progress }).meta({ id: 'SwapStatus' });
export const depositTimelineSchema = z
  .strictObject({ depositId: uuidSchema, steps: z.array(z.strictObject({ number: z.number().int(), at: timeSchema, fact: z.string(), state: stateSchema, data: z.record(z.string(), z.unknown()) })) })
  .meta({ id: 'DepositTimeline' });

const suspenseIdText = z.string().regex(/^\d{1,15}-0x[0-9a-f]{64}-\d{1,9}$/, 'must be the id of an entry of GET /api/v1/suspense').meta({ examples: [`42161-0x${'ab'.repeat(32)}-0`] });
export const suspenseParamsSchema = z.strictObject({ id: suspenseIdText });
export const suspenseEntrySchema = z
  .strictObject({
    id: suspenseIdText,
    userId: z.string(),
    why: z.string().meta({ description: 'Why it is nobody\'s yet.' }),
    at: timeSchema.meta({ description: 'Since when it is final.' }),
    chainId: z.number().int(),
    txHash: shownHex,
    logIndex: z.number().int(),
    blockNumber: z.number().int(),
    blockHash: shownHex,
    token: shownHex,
    asset: z.string(),
    from: shownHex,
    to: shownHex,
    amount: decimalSchema,
  })
  .meta({ id: 'SuspenseEntry' });
export const suspensePageSchema = z.strictObject({ entries: z.array(suspenseEntrySchema), nextCursor: nextCursorSchema }).meta({ id: 'SuspensePage' });
export const suspenseListQuerySchema = z.strictObject({ ...pageQuery });
const noteSchema = z.string().min(1).max(500).meta({ description: 'Why you decide so; it is in the audit log.' });
export const suspenseReleaseSchema = z.strictObject({ note: noteSchema }).meta({ id: 'SuspenseRelease', examples: [{ note: 'the bridge confirms that it paid twice and takes nothing back' }] });
export const suspenseAssignmentSchema = z.strictObject({ depositId: uuidSchema, note: noteSchema }).meta({ id: 'SuspenseAssignment', examples: [{ depositId: '0193e2a4-6c1e-7a50-9b1d-3f1c2a4b5c6d', note: 'the bridge names this transaction' }] });

export type DepositRequest = z.output<typeof depositRequestSchema>;
