import { z } from 'zod';
import { progressOf, shownDeposit, type Deposit } from '../../domain/deposit';
import { DomainError } from '../../domain/errors';
import type { DepositRequest } from '../../schemas/deposits';
import { depositAddressSchema, depositDecisionSchema, depositListQuerySchema, depositPageSchema, depositRequestSchema, depositSchema, depositTimelineSchema, depositTransactionSchema, swapStatusSchema } from '../../schemas/deposits';
import { idSchema, uuidSchema } from '../../schemas/fields';
import { OrderListDesk, type PlannedTerms } from '../order-list-desk';
import { unprocessable } from '../order-intent';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const params = z.strictObject({ id: uuidSchema });
const TAG = 'Deposits';

export function depositRoutes({ ports, directory, intents }: RouteContext): Route[] {
  const { deposits } = ports;
  const desk = new OrderListDesk(directory, intents, ports);
  const own = async (id: string, userId: string): Promise<Deposit> => {
    const deposit = await deposits.get(id, userId);
    if (deposit === null) throw new DomainError('NOT_FOUND', 'no such deposit');
    return deposit;
  };
  return [
    route({
      method: 'post',
      path: '/api/v1/deposits',
      operationId: 'createDeposit',
      tag: TAG,
      summary: 'Begin a deposit: any token on a source chain to USDC at your deposit address',
      description: 'Answers with the quote and what your wallet signs. The same Idempotency-Key answers with the same deposit.',
      scope: 'trade',
      limit: 'deposits',
      headers: z.object({ 'idempotency-key': idSchema.optional() }),
      body: depositRequestSchema,
      responses: { 201: { description: 'The deposit with its quote.', schema: depositSchema, headers: ['Location'] } },
      errors: ['UNPROCESSABLE', 'IDEMPOTENCY_MISMATCH', 'CONFLICT', 'NOT_FOUND'],
      async handle({ body, headers, userId }) {
        const deposit = await deposits.begin(userId, body, headers['idempotency-key'] ?? null, () => planOf(desk, body, userId));
        return { status: 201, body: shownDeposit(deposit), headers: { Location: `/api/v1/deposits/${deposit.id}` } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/deposits',
      operationId: 'listDeposits',
      tag: TAG,
      summary: 'Your deposits, newest first; those that came unannounced too',
      scope: 'read',
      query: depositListQuerySchema,
      responses: { 200: { description: 'A page of deposits.', schema: depositPageSchema } },
      errors: [],
      async handle({ query, userId }) {
        const page = await deposits.list({ userId, state: query.state ?? null, cursor: query.cursor ?? null, limit: query.limit });
        return { status: 200, body: { deposits: page.deposits.map(shownDeposit), nextCursor: page.nextCursor } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/deposit-address',
      operationId: 'getDepositAddress',
      tag: TAG,
      summary: 'Your deposit address: the token sent to it is found without being announced',
      scope: 'read',
      responses: { 200: { description: 'The address.', schema: depositAddressSchema } },
      errors: ['UNPROCESSABLE'],
      async handle({ userId }) {
        return { status: 200, body: await deposits.address(userId) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/deposits/{id}',
      operationId: 'getDeposit',
      tag: TAG,
      summary: 'A deposit',
      scope: 'read',
      params,
      responses: { 200: { description: 'The deposit.', schema: depositSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: shownDeposit(await own(id, userId)) };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/deposits/{id}',
      operationId: 'cancelDeposit',
      tag: TAG,
      summary: 'Call a deposit off before it is sent',
      scope: 'trade',
      params,
      responses: { 200: { description: 'The deposit.', schema: depositSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: shownDeposit(await deposits.cancel(await own(id, userId))) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/deposits/{id}/transaction',
      operationId: 'submitDepositTransaction',
      tag: TAG,
      summary: 'Say which transaction your wallet has sent',
      description: 'Believed once the chain shows it: sender, target, data and value must be those of a quote of this deposit.',
      scope: 'trade',
      params,
      body: depositTransactionSchema,
      responses: { 200: { description: 'The deposit.', schema: depositSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE'],
      async handle({ params: { id }, body, userId }) {
        return { status: 200, body: shownDeposit(await deposits.submit(await own(id, userId), body.hash)) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/deposits/{id}/requote',
      operationId: 'requoteDeposit',
      tag: TAG,
      summary: 'A new quote for a deposit that is not sent yet',
      scope: 'trade',
      limit: 'deposits',
      params,
      responses: { 200: { description: 'The deposit with its new quote.', schema: depositSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: shownDeposit(await deposits.requote(await own(id, userId))) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/deposits/{id}/swap-status',
      operationId: 'getSwapStatus',
      tag: TAG,
      summary: 'What the bridge says of a deposit, and how far it is',
      scope: 'read',
      params,
      responses: { 200: { description: 'The bridge\'s last word.', schema: swapStatusSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        const deposit = await own(id, userId);
        return { status: 200, body: { depositId: id, state: deposit.state, bridge: deposit.bridge, progress: progressOf(deposit) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/deposits/{id}/timeline',
      operationId: 'getDepositTimeline',
      tag: TAG,
      summary: 'Every step of a deposit: what was learned, and the state it led to',
      scope: 'read',
      params,
      responses: { 200: { description: 'The steps, in order.', schema: depositTimelineSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        const steps = await deposits.steps(id, userId);
        if (steps === null) throw new DomainError('NOT_FOUND', 'no such deposit');
        return { status: 200, body: { depositId: id, steps } };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/deposits/{id}/decision',
      operationId: 'decideDeposit',
      tag: TAG,
      summary: 'Decide on a deposit that waits for a person',
      description: 'accept: what arrived is all that will; writeOff: what never arrived goes to suspense; resume: look again. Audited.',
      scope: 'admin',
      params,
      body: depositDecisionSchema,
      responses: { 200: { description: 'The deposit.', schema: depositSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE'],
      async handle({ params: { id }, body, userId, actor }) {
        return { status: 200, body: shownDeposit(await deposits.decide(await own(id, userId), body.decision, body.note, actor)) };
      },
    }),
  ];
}

/** null: nothing is to be done at the venue. */
async function planOf(desk: OrderListDesk, { destination }: DepositRequest, userId: string): Promise<PlannedTerms | null> {
  if (destination?.thenOrder === undefined) return null;
  const { accountId, thenOrder: { onRefused: _onRefused, ...order } } = destination;
  const elsewhere = order.legs.findIndex((leg) => (leg.accountId ?? accountId) !== accountId || (leg.symbol ?? order.symbol) !== order.symbol);
  if (elsewhere >= 0) throw unprocessable(`destination.thenOrder.legs.${elsewhere}`, null, 'the order is on the account of the destination, in one market: leave accountId and symbol out of its legs');
  return desk.plan({ ...order, accountId, type: 'BRACKET' }, userId);
}
