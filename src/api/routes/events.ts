import { accountStream, userStream } from '../../domain/events';
import { eventListQuerySchema, eventPageSchema } from '../../schemas/events';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

export function eventRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/events',
      operationId: 'listEvents',
      tag: 'Events',
      summary: 'Events of a stream after a sequence',
      scope: 'read',
      query: eventListQuerySchema,
      responses: { 200: { description: 'Events in order, without a gap.', schema: eventPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        await directory.assertOwned(query.accountId ?? null, userId);
        const stream = query.accountId === undefined ? userStream(userId) : accountStream(query.accountId);
        // The head is read first: every event up to it is then in reach, and a newer one only makes the page longer.
        const headSequence = await ports.events.head(stream);
        const [events, generation] = await Promise.all([ports.events.since(stream, query.sinceSequence, query.limit), ports.events.generation()]);
        return { status: 200, body: { events, stream, generation, headSequence: Math.max(headSequence, events.at(-1)?.sequence ?? 0) } };
      },
    }),
  ];
}
