import { z } from 'zod';
import { DomainError } from '../../domain/errors';
import type { Withdrawal } from '../../domain/withdrawal';
import { idSchema, uuidSchema } from '../../schemas/fields';
import { withdrawalAddressListSchema, withdrawalAddressRequestSchema, withdrawalAddressSchema, withdrawalDecisionSchema, withdrawalListQuerySchema, withdrawalPageSchema, withdrawalRequestSchema, withdrawalSchema, withdrawalTimelineSchema } from '../../schemas/withdrawals';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const params = z.strictObject({ id: uuidSchema });
const TAG = 'Withdrawals';

export function withdrawalRoutes({ ports }: RouteContext): Route[] {
  const { withdrawals } = ports;
  const own = async (id: string, userId: string): Promise<Withdrawal> => {
    const withdrawal = await withdrawals.get(id, userId);
    if (withdrawal === null) throw new DomainError('NOT_FOUND', 'no such withdrawal');
    return withdrawal;
  };
  return [
    route({
      method: 'post',
      path: '/api/v1/withdrawals',
      operationId: 'createWithdrawal',
      tag: TAG,
      summary: 'Ask for a withdrawal to an address of your list',
      description: 'Its amount is set aside at once; it is sent after another admin key approves it. The same Idempotency-Key answers with the same withdrawal.',
      scope: 'admin',
      limit: 'deposits',
      headers: z.object({ 'idempotency-key': idSchema.optional() }),
      body: withdrawalRequestSchema,
      responses: { 201: { description: 'The withdrawal.', schema: withdrawalSchema, headers: ['Location'] } },
      errors: ['UNPROCESSABLE', 'INSUFFICIENT_BALANCE', 'IDEMPOTENCY_MISMATCH'],
      async handle({ body, headers, userId, actor }) {
        const withdrawal = await withdrawals.begin(userId, body, headers['idempotency-key'] ?? null, actor);
        return { status: 201, body: withdrawal, headers: { Location: `/api/v1/withdrawals/${withdrawal.id}` } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/withdrawals',
      operationId: 'listWithdrawals',
      tag: TAG,
      summary: 'Your withdrawals, newest first',
      scope: 'read',
      query: withdrawalListQuerySchema,
      responses: { 200: { description: 'A page of withdrawals.', schema: withdrawalPageSchema } },
      errors: [],
      async handle({ query, userId }) {
        return { status: 200, body: await withdrawals.list({ userId, state: query.state ?? null, cursor: query.cursor ?? null, limit: query.limit }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/withdrawals/{id}',
      operationId: 'getWithdrawal',
      tag: TAG,
      summary: 'A withdrawal',
      scope: 'read',
      params,
      responses: { 200: { description: 'The withdrawal.', schema: withdrawalSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: await own(id, userId) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/withdrawals/{id}/timeline',
      operationId: 'getWithdrawalTimeline',
      tag: TAG,
      summary: 'Every step of a withdrawal: what was said or learned, and the state it led to',
      scope: 'read',
      params,
      responses: { 200: { description: 'The steps, in order.', schema: withdrawalTimelineSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        const steps = await withdrawals.steps(id, userId);
        if (steps === null) throw new DomainError('NOT_FOUND', 'no such withdrawal');
        return { status: 200, body: { withdrawalId: id, steps } };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/withdrawals/{id}/decision',
      operationId: 'decideWithdrawal',
      tag: TAG,
      summary: 'Approve or refuse a withdrawal',
      description: 'By another admin key than the one that asked for it. Audited.',
      scope: 'admin',
      params,
      body: withdrawalDecisionSchema,
      responses: { 200: { description: 'The withdrawal.', schema: withdrawalSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE', 'FORBIDDEN'],
      async handle({ params: { id }, body, userId, actor }) {
        return { status: 200, body: await withdrawals.decide(await own(id, userId), body.decision, body.note, actor) };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/withdrawals/{id}',
      operationId: 'cancelWithdrawal',
      tag: TAG,
      summary: 'Call a withdrawal off before it is signed',
      scope: 'admin',
      params,
      responses: { 200: { description: 'The withdrawal.', schema: withdrawalSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE'],
      async handle({ params: { id }, userId, actor }) {
        return { status: 200, body: await withdrawals.cancel(await own(id, userId), actor) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/withdrawal-addresses',
      operationId: 'addWithdrawalAddress',
      tag: TAG,
      summary: 'Add an address to the list that withdrawals may go to',
      description: 'It waits (24 hours unless the operator set another time) before it can be used. Audited.',
      scope: 'admin',
      body: withdrawalAddressRequestSchema,
      responses: { 201: { description: 'The address.', schema: withdrawalAddressSchema } },
      errors: ['CONFLICT', 'UNPROCESSABLE'],
      async handle({ body, userId, actor }) {
        return { status: 201, body: await withdrawals.addAddress(userId, body.address, body.label, actor) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/withdrawal-addresses',
      operationId: 'listWithdrawalAddresses',
      tag: TAG,
      summary: 'Addresses that withdrawals may go to, newest first',
      scope: 'read',
      responses: { 200: { description: 'The list.', schema: withdrawalAddressListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { addresses: await withdrawals.addresses(userId) } };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/withdrawal-addresses/{id}',
      operationId: 'removeWithdrawalAddress',
      tag: TAG,
      summary: 'Take an address off the list',
      description: 'Withdrawals to it that are not approved yet cannot be approved any more. Audited.',
      scope: 'admin',
      params,
      responses: { 200: { description: 'The address, as it was removed.', schema: withdrawalAddressSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId, actor }) {
        return { status: 200, body: await withdrawals.removeAddress(id, userId, actor) };
      },
    }),
  ];
}
