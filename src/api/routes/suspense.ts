import { depositSchema, suspenseAssignmentSchema, suspenseListQuerySchema, suspensePageSchema, suspenseParamsSchema, suspenseReleaseSchema } from '../../schemas/deposits';
import { shownDeposit } from '../../domain/deposit';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const TAG = 'Deposits';

export function suspenseRoutes({ ports: { deposits } }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/suspense',
      operationId: 'listSuspense',
      tag: TAG,
      summary: 'What arrived at your deposit address and is held until a person says whose it is',
      description: 'A second payment of a bridge, another token than the one that is taken, a transfer that several deposits could claim. The event deposit.unclaimed tells of each.',
      scope: 'read',
      query: suspenseListQuerySchema,
      responses: { 200: { description: 'A page of transfers, newest first.', schema: suspensePageSchema } },
      errors: [],
      async handle({ query, userId }) {
        return { status: 200, body: await deposits.suspense({ userId, cursor: query.cursor ?? null, limit: query.limit }) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/suspense/{id}/release',
      operationId: 'releaseSuspense',
      tag: TAG,
      summary: 'Say that a held transfer is the user\'s',
      description: 'It moves to the wallet as a deposit of its own. Audited.',
      scope: 'admin',
      params: suspenseParamsSchema,
      body: suspenseReleaseSchema,
      responses: { 200: { description: 'The deposit that it is now.', schema: depositSchema } },
      errors: ['NOT_FOUND', 'UNPROCESSABLE'],
      async handle({ params: { id }, body, userId, actor }) {
        return { status: 200, body: shownDeposit(await deposits.settleSuspense({ id, userId, note: body.note, actor }, null)) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/suspense/{id}/assign',
      operationId: 'assignSuspense',
      tag: TAG,
      summary: 'Say that a held transfer is what a deposit was to bring',
      description: 'Only a deposit whose source is final and that nothing was counted for takes it. Audited.',
      scope: 'admin',
      params: suspenseParamsSchema,
      body: suspenseAssignmentSchema,
      responses: { 200: { description: 'The deposit with what it received.', schema: depositSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id }, body, userId, actor }) {
        return { status: 200, body: shownDeposit(await deposits.settleSuspense({ id, userId, note: body.note, actor }, body.depositId)) };
      },
    }),
  ];
}
