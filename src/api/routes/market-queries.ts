/** What the routes of markets have in common. */
import { z } from 'zod';
import { symbolSchema, venueNameSchema } from '../../schemas/fields';

/** Of a read that a venue answers now. */
export const VENUE_READ_ERRORS = ['NOT_FOUND', 'RATE_LIMITED', 'VENUE_REJECTED', 'VENUE_UNAVAILABLE', 'VENUE_TIMEOUT'] as const;

export const venueQuery = { venue: venueNameSchema.optional().meta({ description: 'May be absent where one venue only has the market.' }) };
export const symbolParams = z.strictObject({ symbol: symbolSchema });
