import { z } from 'zod';
import { timeSchema, venueNameSchema } from './fields';

export const livenessSchema = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Liveness' });

const partSchema = z.strictObject({ status: z.enum(['ok', 'away']), detail: z.string().nullable() }).meta({ id: 'PartHealth' });

export const readinessSchema = z
  .strictObject({
    status: z.enum(['ready', 'notReady']),
    postgresql: partSchema,
    temporal: partSchema,
    workers: partSchema,
    entries: z
      .strictObject({ status: z.enum(['open', 'held']), detail: z.string().nullable() })
      .meta({ description: 'held: PostgreSQL or Temporal lost something, and new orders that do not reduce answer 503 until both agree again. Reported; it never decides readiness.' }),
    chains: z
      .array(z.strictObject({ name: z.string(), status: z.enum(['ok', 'stalled']), detail: z.string().nullable(), since: timeSchema.nullable() }))
      .meta({ description: 'Where deposits arrive. stalled: its endpoints do not answer, or contradict each other, and nothing that arrives is counted until they agree. Reported; they never decide readiness.' }),
    venues: z.array(z.strictObject({ name: venueNameSchema, status: z.enum(['available', 'unavailable', 'unknown']) })).meta({ description: 'Reported; they never decide readiness.' }),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof readinessSchema>;
