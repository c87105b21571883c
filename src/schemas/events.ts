/** Events of a stream, as REST resumes them. */
import { z } from 'zod';
import { EVENT_TYPES } from '../domain/events';
import { idSchema, PAGE_LIMIT, queryInteger, timeSchema } from './fields';

export const eventSchema = z
  .strictObject({
    id: z.string(),
    stream: z.string(),
    userId: z.string(),
    accountId: z.string().nullable(),
    sequence: z.int().min(1),
    generation: z.string(),
    type: z.enum(EVENT_TYPES),
    at: timeSchema,
    orderId: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });

export const eventPageSchema = z
  .strictObject({
    events: z.array(eventSchema),
    stream: z.string(),
    generation: z.string().meta({ description: 'When it differs from the one you know, read your state again: the database was restored.' }),
    headSequence: z.int().min(0).meta({ description: 'The newest sequence of the stream.' }),
  })
  .meta({ id: 'EventPage', description: 'Gap-free: continue with the last event\'s sequence as sinceSequence.' });

export const eventListQuerySchema = z.strictObject({
  sinceSequence: queryInteger({ min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0, description: 'Events after this sequence.' }),
  accountId: idSchema.optional().meta({ description: 'The account\'s stream; absent: your own, of what has no account.' }),
  limit: queryInteger({ ...PAGE_LIMIT, description: 'Most events of one page.' }),
});
