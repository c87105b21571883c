/** API keys at the boundary. */
import { z } from 'zod';
import { CALL_KINDS, CALL_RATE_PATTERN, CALL_RATE_RULE } from '../domain/call-rate';
import { idSchema, timeSchema } from './fields';

const scopeSchema = z.enum(['read', 'trade', 'admin']).meta({ id: 'Scope', description: 'read: looks. trade: looks and places orders. admin: everything, keys and accounts too.' });
const rateSchema = z.string().regex(CALL_RATE_PATTERN, `must ${CALL_RATE_RULE}`).meta({ id: 'CallRate', description: 'So many calls in a period, and how many at once where that is another number; or off.', examples: ['10/s', '100/min burst 200', 'off'] });
const ratesSchema = z.partialRecord(z.enum(CALL_KINDS), rateSchema).meta({ id: 'CallRates', description: 'Limits of the key\'s own by kind of call, instead of the server\'s.' });

const MAX_NAME = 64;

export const apiKeyRequestSchema = z
  .strictObject({
    name: z.string().trim().min(1, 'must not be empty').max(MAX_NAME, `must have at most ${MAX_NAME} characters`),
    scopes: z.array(scopeSchema).min(1, 'must name at least one scope').max(scopeSchema.options.length),
    expiresAt: timeSchema.optional().meta({ description: 'From when the key no longer works. Absent: never.' }),
    rates: ratesSchema.optional(),
  })
  .meta({ id: 'ApiKeyRequest', examples: [{ name: 'terminal', scopes: ['trade'] }] });

/** A client whose new key takes longer than a month to roll out has another problem. */
const MAX_OVERLAP_SECONDS = 30 * 86_400;
const DEFAULT_OVERLAP_SECONDS = 86_400;

export const apiKeyRotationSchema = z
  .strictObject({ overlapSeconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).default(DEFAULT_OVERLAP_SECONDS).meta({ description: 'How long the old key still works; 0 ends it now.' }) })
  .meta({ id: 'ApiKeyRotation' });

export const apiKeySchema = z
  .strictObject({
    id: idSchema,
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
    lastUsedAt: timeSchema.nullable().meta({ description: 'At most a minute behind.' }),
    revokedAt: timeSchema.nullable(),
    rotatedFrom: z.string().nullable().meta({ description: 'The key that this one replaced.' }),
    rates: ratesSchema.nullable().meta({ description: 'null: the server\'s limits.' }),
  })
  .meta({ id: 'ApiKey' });

export const madeApiKeySchema = z
  .strictObject({ ...apiKeySchema.shape, key: z.string().meta({ description: 'The key itself: shown once, here.' }) })
  .meta({ id: 'MadeApiKey' });

export const apiKeyListSchema = z.strictObject({ apiKeys: z.array(apiKeySchema) }).meta({ id: 'ApiKeyList' });
