/** Collateral moves at the boundary. */
import { z } from 'zod';
import { MOVE_KINDS, MOVE_STATES } from '../domain/collateral-move';
import { decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, timeSchema, uuidSchema } from './fields';

const poolSchema = z
  .string()
  .regex(/^[a-z0-9]{1,16}$/, 'must be main, spot, or the name of a dex')
  .meta({ description: 'main: the venue\'s own; others by the venue\'s names, such as spot, or a HIP-3 dex of Hyperliquid.', examples: ['xyz'] });

export const marginRequestSchema = z
  .strictObject({
    amount: z
      .string('must be a decimal as a string such as "25"')
      .regex(/^-?(?=.*[1-9])\d{1,20}(\.\d{1,20})?$/, 'must be a decimal other than zero in plain notation, as a string such as "25" or "-25"')
      .meta({ description: 'In the market\'s quote asset; negative takes margin away.', examples: ['25'] }),
  })
  .meta({ id: 'MarginRequest', examples: [{ amount: '25' }] });

export const transferRequestSchema = z
  .strictObject({
    from: poolSchema,
    to: poolSchema,
    asset: z.string().regex(/^[A-Za-z0-9]{1,32}$/, 'must be a token\'s name, such as USDC').meta({ examples: ['USDC'] }),
    amount: positiveDecimalSchema,
  })
  .meta({ id: 'TransferRequest', examples: [{ from: 'main', to: 'xyz', asset: 'USDC', amount: '100' }] });

export const collateralMoveSchema = z
  .strictObject({
    id: uuidSchema,
    userId: z.string(),
    accountId: z.string(),
    venue: z.string(),
    kind: z.enum(MOVE_KINDS),
    symbol: z.string().nullable().meta({ description: 'Of margin: the position\'s market.' }),
    venueSymbol: z.string().nullable(),
    from: z.string().nullable().meta({ description: 'Of a transfer.' }),
    to: z.string().nullable(),
    asset: z.string(),
    amount: decimalSchema.meta({ description: 'Of margin: negative is taken away.' }),
    state: z.enum(MOVE_STATES).meta({ description: 'UNKNOWN: its bytes may have left, and it is being pursued. APPLIED and REFUSED are evidence. UNRESOLVED: no answer came, and what the venue shows agrees with both: look at the position there.' }),
    reasonCode: z.string().nullable(),
    reasonMessage: z.string().nullable(),
    sends: z.int().meta({ description: 'How often its bytes may have left: always the same bytes, which the venue takes once.' }),
    requestedBy: z.string(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'CollateralMove' });

export const collateralMovePageSchema = z.strictObject({ moves: z.array(collateralMoveSchema), nextCursor: nextCursorSchema }).meta({ id: 'CollateralMovePage' });
export const collateralMoveListQuerySchema = z.strictObject({ accountId: idSchema.optional(), ...pageQuery });
