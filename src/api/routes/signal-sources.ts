import { z } from 'zod';
import { uuidSchema } from '../../schemas/fields';
import { madeSignalSourceSchema, signalListQuerySchema, signalPageSchema, signalSchema, signalSourceChangeSchema, signalSourceListSchema, signalSourceRequestSchema, signalSourceSchema, templateOf, tokenRotationSchema } from '../../schemas/signals';
import type { Reply } from '../replies';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';
import type { MadeSignalSource } from '../signal-ports';

const PATH = '/api/v1/signal-sources';
const params = z.strictObject({ id: uuidSchema });
const signalParams = z.strictObject({ id: uuidSchema, signalId: uuidSchema });

export function signalSourceRoutes({ ports, signals: desk }: RouteContext): Route[] {
  const { signalSources, signals } = ports;
  return [
    route({
      method: 'post',
      path: PATH,
      operationId: 'createSignalSource',
      tag: 'Signals',
      summary: 'Make an address that alerts are sent to',
      description: 'The token is in this answer and nowhere else; if the answer is lost, rotate it. Whoever has it can place what the template says, in its account: name the addresses that alerts come from. docs/signals.md has recipes.',
      scope: 'admin',
      body: signalSourceRequestSchema,
      responses: { 201: { description: 'The source, with its token.', schema: madeSignalSourceSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ body, userId, actor }) {
        const terms = { ...body, template: templateOf(body.template) };
        return shown(201, await signalSources.create(userId, { ...terms, accountId: desk.assertMakesSense(terms) }, actor));
      },
    }),
    route({
      method: 'get',
      path: PATH,
      operationId: 'listSignalSources',
      tag: 'Signals',
      summary: 'Your signal sources, newest first',
      scope: 'read',
      responses: { 200: { description: 'The sources.', schema: signalSourceListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { signalSources: await signalSources.list(userId) } };
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getSignalSource',
      tag: 'Signals',
      summary: 'One signal source',
      scope: 'read',
      params,
      responses: { 200: { description: 'The source.', schema: signalSourceSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: await signalSources.get(id, userId) };
      },
    }),
    route({
      method: 'patch',
      path: `${PATH}/{id}`,
      operationId: 'updateSignalSource',
      tag: 'Signals',
      summary: 'Change, disable or enable a signal source',
      description: 'What was taken before is placed as it was.',
      scope: 'admin',
      params,
      body: signalSourceChangeSchema,
      responses: { 200: { description: 'The source.', schema: signalSourceSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, body, userId, actor }) {
        const before = await signalSources.get(id, userId);
        const { template, ...rest } = body;
        const change = { ...rest, ...(template === undefined ? {} : { template: templateOf(template) }) };
        const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
        const accountId = desk.assertMakesSense({ ...before, ...given });
        return { status: 200, body: await signalSources.change(id, userId, { ...change, ...(accountId === before.accountId ? {} : { accountId }) }, actor) };
      },
    }),
    route({
      method: 'delete',
      path: `${PATH}/{id}`,
      operationId: 'deleteSignalSource',
      tag: 'Signals',
      summary: 'Delete a signal source',
      description: 'Its tokens work no more. What it sent can still be read, and what was taken is placed.',
      scope: 'admin',
      params,
      responses: { 200: { description: 'The source as it was.', schema: signalSourceSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId, actor }) {
        return { status: 200, body: await signalSources.remove(id, userId, actor) };
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/{id}/rotate-token`,
      operationId: 'rotateSignalToken',
      tag: 'Signals',
      summary: 'Make a new token; the old one works on for a while',
      scope: 'admin',
      params,
      body: tokenRotationSchema,
      bodyRequired: false,
      responses: { 200: { description: 'The source, with its new token.', schema: madeSignalSourceSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, body, userId, actor }) {
        return shown(200, await signalSources.rotateToken(id, userId, body.overlapSeconds, actor));
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}/signals`,
      operationId: 'listSignals',
      tag: 'Signals',
      summary: 'Alerts that came, newest first, and what became of each',
      scope: 'read',
      params,
      query: signalListQuerySchema,
      responses: { 200: { description: 'A page of signals.', schema: signalPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, query, userId }) {
        return { status: 200, body: await signals.list({ sourceId: id, userId, status: query.status ?? null, cursor: query.cursor ?? null, limit: query.limit }) };
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}/signals/{signalId}`,
      operationId: 'getSignal',
      tag: 'Signals',
      summary: 'One alert that came',
      scope: 'read',
      params: signalParams,
      responses: { 200: { description: 'The signal.', schema: signalSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id, signalId }, userId }) {
        return { status: 200, body: await signals.get(signalId, id, userId) };
      },
    }),
  ];
}

/** Caches must not keep a token. */
function shown(status: number, { source, token }: MadeSignalSource): Reply {
  return { status, body: { ...source, token, path: `/api/v1/signals/${token}` }, headers: { 'Cache-Control': 'no-store' } };
}
