/** Trades and the ledger at the boundary. */
import { z } from 'zod';
import { LEDGER_BOOKS, LEDGER_KINDS, type LedgerEntry } from '../domain/ledger';
import type { Trade } from '../domain/trade';
import { decimalSchema, idSchema, nextCursorSchema, pageQuery, symbolSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';

export const tradeSchema = z
  .strictObject({
    id: uuidSchema,
    accountId: z.string(),
    venue: venueNameSchema,
    symbol: z.string(),
    side: z.enum(['long', 'short']),
    status: z.enum(['open', 'closed']),
    quantity: decimalSchema.meta({ description: 'All that was entered.' }),
    entryPrice: decimalSchema.meta({ description: 'Average of the entries.' }),
    exitQuantity: decimalSchema,
    exitPrice: decimalSchema.nullable().meta({ description: 'Average of the exits; null before the first.' }),
    realizedPnl: decimalSchema.meta({ description: 'Fees and funding not counted.' }),
    fees: decimalSchema.meta({ description: 'Paid in the quote asset, or valued in it; fees in a third asset are in the ledger only.' }),
    funding: decimalSchema.meta({ description: 'Received; negative was paid.' }),
    profit: decimalSchema.meta({ description: 'realizedPnl less fees plus funding.' }),
    asset: z.string().meta({ description: 'What the money is counted in: the market\'s quote asset.' }),
    carriedIn: z.boolean().meta({ description: 'True where its fills are not all known: it was held before Surefill looked, or the venue\'s history was cut.' }),
    openedAt: timeSchema,
    closedAt: timeSchema.nullable(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'Trade', description: 'A round trip of one market from flat to flat.' });

export const ledgerEntrySchema = z
  .strictObject({
    accountId: z.string(),
    fact: z.string().meta({ description: 'What caused it. Lines with the same fact sum to zero in each asset.' }),
    kind: z.enum(LEDGER_KINDS),
    book: z.enum(LEDGER_BOOKS).meta({ description: 'cash is what is held at the venue; the other books say why.' }),
    asset: z.string(),
    amount: decimalSchema.meta({ description: 'A debit; negative is a credit.' }),
    symbol: z.string().nullable(),
    at: timeSchema,
  })
  .meta({ id: 'LedgerEntry' });

/** Compile-time proof that the document shows the domain's own records. */
type Shows<Schema, Domain> = [Schema] extends [Domain] ? true : never;
export const TRADE_SCHEMAS_MATCH: [Shows<z.infer<typeof tradeSchema>, Trade>, Shows<z.infer<typeof ledgerEntrySchema>, LedgerEntry>] = [true, true];

export const tradePageSchema = z.strictObject({ trades: z.array(tradeSchema), nextCursor: nextCursorSchema }).meta({ id: 'TradePage' });
export const ledgerPageSchema = z.strictObject({ entries: z.array(ledgerEntrySchema), nextCursor: nextCursorSchema }).meta({ id: 'LedgerPage' });

export const tradeListQuerySchema = z.strictObject({
  status: z.enum(['open', 'closed', 'all']).default('all'),
  accountId: idSchema.optional(),
  symbol: symbolSchema.optional(),
  venue: venueNameSchema.optional(),
  ...pageQuery,
});

export const ledgerListQuerySchema = z.strictObject(pageQuery);
