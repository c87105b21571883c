import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors';
import type { Strategy } from '../../domain/strategy';
import { jsonSchemaOf } from '../../domain/strategies/form';
import { STRATEGIES } from '../../domain/strategies/registry';
import { idSchema } from '../../schemas/fields';
import { strategyAmendmentSchema, strategyListQuery, strategyPageSchema, strategyPreviewSchema, strategyRequestSchema, strategySchema, strategyTimelineSchema, strategyTypesSchema } from '../../schemas/strategies';
import { notFound } from '../errors';
import { requestStamp } from '../idempotency';
import { listFilters } from '../list-filters';
import type { ApiPorts } from '../ports';
import type { Reply } from '../replies';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';
import { StrategyDesk } from '../strategy-desk';
import { revisionOf } from './order-changes';
import { idempotencyHeaders } from './order-placement';

const PATH = '/api/v1/strategies';
const params = z.strictObject({ id: idSchema });
const shown = (description: string) => ({ description, schema: strategySchema, headers: ['ETag', 'Location'] }) as const;
const COMMAND_ERRORS: readonly ErrorCode[] = ['NOT_FOUND', 'CONFLICT'];

export function strategyRoutes({ ports, directory }: RouteContext): Route[] {
  const desk = new StrategyDesk(directory, ports);
  const command = (kind: 'pause' | 'resume', summary: string, description: string, errors: readonly ErrorCode[]): Route =>
    route({
      method: 'post',
      path: `${PATH}/{id}/${kind}`,
      operationId: `${kind}Strategy`,
      tag: 'Strategies',
      summary,
      description,
      scope: 'trade',
      isExit: kind === 'pause',
      params,
      responses: { 200: shown(`It is ${kind === 'pause' ? 'paused' : 'resumed'}.`) },
      errors,
      async handle({ params: { id }, userId }) {
        await ownStrategy(ports, id, userId);
        return reply(200, await ports.strategies.command(id, userId, { kind, reason: kind === 'pause' ? 'paused by its owner' : null }));
      },
    });
  return [
    route({
      method: 'post',
      path: PATH,
      operationId: 'createStrategy',
      tag: 'Strategies',
      summary: 'Start a strategy',
      description: 'Send clientStrategyId, an Idempotency-Key, or both; repeat with the same until it is answered: there will be one strategy. Its orders together never come to more than its quantity.',
      scope: 'trade',
      headers: idempotencyHeaders,
      body: strategyRequestSchema,
      responses: { 201: shown('Recorded; it runs from startAt on.') },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE', 'IDEMPOTENCY_MISMATCH', 'RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_REDUCING'],
      async handle({ body, headers, userId }) {
        return reply(201, await desk.create(body, userId, requestStamp(headers['idempotency-key'], `POST ${PATH}`, body)));
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/preview`,
      operationId: 'previewStrategy',
      tag: 'Strategies',
      summary: 'What a strategy would come to',
      description: 'Its orders, cost and duration. Has no effect.',
      scope: 'read',
      limit: 'reads',
      body: strategyRequestSchema,
      responses: { 200: { description: 'The preview.', schema: strategyPreviewSchema } },
      errors: ['NOT_FOUND', 'UNPROCESSABLE'],
      async handle({ body, userId }) {
        return { status: 200, body: await desk.preview(body, userId) };
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/types`,
      operationId: 'listStrategyTypes',
      tag: 'Strategies',
      summary: 'The types of strategies, with a JSON schema of their parameters',
      scope: 'read',
      responses: { 200: { description: 'The types.', schema: strategyTypesSchema } },
      errors: [],
      async handle() {
        return { status: 200, body: { types: STRATEGIES.map(({ type, title, description, form }) => ({ type, title, description, parameters: jsonSchemaOf(form) })) } };
      },
    }),
    route({
      method: 'get',
      path: PATH,
      operationId: 'listStrategies',
      tag: 'Strategies',
      summary: 'Your strategies, newest first',
      scope: 'read',
      query: strategyListQuery,
      responses: { 200: { description: 'One page.', schema: strategyPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        return { status: 200, body: await ports.strategies.list({ ...(await listFilters(directory, query, userId)), status: query.status }) };
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getStrategy',
      tag: 'Strategies',
      summary: 'One strategy',
      scope: 'read',
      params,
      responses: { 200: shown('The strategy.') },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return reply(200, await ownStrategy(ports, id, userId));
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}/timeline`,
      operationId: 'getStrategyTimeline',
      tag: 'Strategies',
      summary: 'Everything that happened to a strategy',
      scope: 'read',
      params,
      responses: { 200: { description: 'Its orders and its events.', schema: strategyTimelineSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        const timeline = await ports.strategies.timeline(id, userId);
        if (timeline === null) throw notFound('strategy');
        return { status: 200, body: timeline };
      },
    }),
    route({
      method: 'patch',
      path: `${PATH}/{id}`,
      operationId: 'amendStrategy',
      tag: 'Strategies',
      summary: 'Edit a strategy, also while it runs',
      description: 'Against the revision you saw: a stale one is a 409. The new terms hold for what is left; the quantity may not fall below what is filled and open.',
      scope: 'trade',
      params,
      headers: z.object({ 'if-match': z.string().optional().meta({ description: 'The revision you saw, as in the ETag. Required: 428 without it.' }) }),
      body: strategyAmendmentSchema,
      responses: { 200: shown('It has the new terms.') },
      errors: [...COMMAND_ERRORS, 'PRECONDITION_REQUIRED', 'UNPROCESSABLE'],
      async handle({ params: { id }, headers, body, userId }) {
        const revision = revisionOf(headers['if-match']);
        return reply(200, await desk.amend(await ownStrategy(ports, id, userId), revision, body));
      },
    }),
    route({
      method: 'delete',
      isExit: true,
      path: `${PATH}/{id}`,
      operationId: 'cancelStrategy',
      tag: 'Strategies',
      summary: 'End a strategy and cancel its open orders',
      description: 'CANCELED once the outcome of each of its orders is evidence. A repeat is harmless.',
      scope: 'trade',
      params,
      responses: { 202: shown('Recorded; pendingCancel until nothing of it is open.') },
      errors: COMMAND_ERRORS,
      async handle({ params: { id }, userId }) {
        await ownStrategy(ports, id, userId);
        return reply(202, await ports.strategies.command(id, userId, { kind: 'cancel', reason: 'canceled by its owner' }));
      },
    }),
    command('pause', 'Pause a strategy', 'It places nothing more and cancels what it has open, until it is resumed. Its schedule waits.', COMMAND_ERRORS),
    command('resume', 'Go on with a paused strategy', 'With what is left of its quantity and of its time.', [...COMMAND_ERRORS, 'RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_REDUCING']),
  ];
}

function reply(status: number, strategy: Strategy): Reply {
  return { status, body: strategy, headers: { ETag: `"${strategy.revision}"`, Location: `${PATH}/${strategy.id}` } };
}

async function ownStrategy(ports: ApiPorts, id: string, userId: string): Promise<Strategy> {
  const strategy = await ports.strategies.byId(id, userId);
  if (strategy === null) throw notFound('strategy');
  return strategy;
}
