/** The kill switch and the dead-man switch at the boundary. */
import { z } from 'zod';
import { FLATNESS, KILL_SWITCH_MODES, KILL_SWITCH_SCOPES } from '../domain/kill-switch';
import { idSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';

export const killSwitchRequestSchema = z
  .strictObject({
    scope: z.enum(KILL_SWITCH_SCOPES),
    accountId: idSchema.optional().meta({ description: 'Required for scope account.' }),
    venue: venueNameSchema.optional().meta({ description: 'Required for scope venue.' }),
    mode: z.enum(KILL_SWITCH_MODES).meta({ description: 'halt: no entries, strategies paused. cancel: and Surefill\'s open orders canceled, stops too. flatten: and orders placed outside, and positions closed by reduce-only market orders.' }),
    reason: z.string().min(1).max(500).optional(),
  })
  .superRefine((body, context) => {
    const issue = (path: 'accountId' | 'venue', message: string): void => context.addIssue({ code: 'custom', path: [path], message, input: body[path] });
    if ((body.scope === 'account') !== (body.accountId !== undefined)) issue('accountId', body.scope === 'account' ? 'is required for scope account' : `must be absent for scope ${body.scope}`);
    if ((body.scope === 'venue') !== (body.venue !== undefined)) issue('venue', body.scope === 'venue' ? 'is required for scope venue' : `must be absent for scope ${body.scope}`);
  })
  .meta({ id: 'KillSwitchRequest', examples: [{ scope: 'account', accountId: 'paper', mode: 'halt', reason: 'a wrong price feed' }] });

const flatnessSchema = z.enum(FLATNESS);

export const killSwitchSchema = z
  .strictObject({
    id: uuidSchema,
    userId: z.string(),
    scope: z.enum(KILL_SWITCH_SCOPES),
    accountId: z.string().nullable(),
    venue: z.string().nullable(),
    mode: z.enum(KILL_SWITCH_MODES),
    reason: z.string().nullable(),
    latchedAt: timeSchema,
    latchedBy: z.string(),
    releasedAt: timeSchema.nullable(),
    releasedBy: z.string().nullable(),
    confirmed: z.boolean().meta({ description: 'Whether every account is where the mode wants it, by a venue read later than the latch and the last fill.' }),
    venues: z.array(z.strictObject({ venue: z.string(), state: flatnessSchema, reason: z.string().nullable() })),
    accounts: z.array(z.strictObject({ accountId: z.string(), venue: z.string(), state: flatnessSchema, reason: z.string().nullable(), readAt: timeSchema.nullable() })),
  })
  .meta({ id: 'KillSwitch' });

export const killSwitchListSchema = z.strictObject({ killSwitches: z.array(killSwitchSchema) }).meta({ id: 'KillSwitches' });

export const killSwitchReleaseSchema = z
  .strictObject({ acceptUnconfirmed: z.boolean().optional().meta({ description: 'Release although a venue is not confirmed yet.' }) })
  .meta({ id: 'KillSwitchRelease', examples: [{}] });

/** Shorter would fire on a pause of the network; longer is no switch. 0 disarms. */
const MIN_TIMEOUT_MS = 1_000;
const MAX_TIMEOUT_MS = 86_400_000;

export const heartbeatRequestSchema = z
  .strictObject({ accountId: idSchema, timeoutMs: z.union([z.literal(0), z.int().min(MIN_TIMEOUT_MS).max(MAX_TIMEOUT_MS)]).meta({ description: 'Silence for so long cancels the account\'s open orders; 0 disarms.' }) })
  .meta({ id: 'HeartbeatRequest', examples: [{ accountId: 'paper', timeoutMs: 30000 }] });

export const heartbeatSchema = z
  .strictObject({
    accountId: z.string(),
    timeoutMs: z.int(),
    expiresAt: timeSchema.nullable(),
    beatAt: timeSchema,
    venue: z
      .strictObject({ supported: z.boolean(), armed: z.boolean(), reason: z.string().nullable() })
      .meta({ description: 'The venue\'s own switch, which also cancels what was placed outside. Ours holds whether or not the venue took it.' }),
  })
  .meta({ id: 'Heartbeat' });
