import { z } from 'zod';
import { decimal, decimalText } from '../../domain/decimal';
import { DomainError } from '../../domain/errors';
import { positionCloseSchema, positionListQuerySchema, positionListSchema, positionQuerySchema, shownPositionSchema } from '../../schemas/accounts';
import { PAGE_LIMIT, symbolSchema } from '../../schemas/fields';
import { answerTimeoutQuery } from '../../schemas/orders';
import type { Position } from '../../domain/account';
import type { ShownPosition } from '../../domain/protection';
import { requestStamp } from '../idempotency';
import { notFound } from '../errors';
import { unprocessable } from '../order-intent';
import type { OrderTerms } from '../order-terms';
import { listFilters } from '../list-filters';
import type { RouteContext } from '../route-table';
import { route, type Route, validationError } from '../route';
import { idempotencyHeaders, PLACED, PLACING_ERRORS } from './order-placement';

/** Position ids may be made of an account, a venue and a symbol. */
export const positionIdSchema = z.string().regex(/^[A-Za-z0-9._:/@-]{1,200}$/, 'must be a position\'s id, as GET /api/v1/positions shows it');

const CLOSE = 'POST /api/v1/positions/{id}/close';

export function positionRoutes({ ports, directory, placement }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/positions',
      operationId: 'listPositions',
      tag: 'Positions',
      summary: 'Positions, by symbol, then account',
      description: 'A position changes with its fills. A venue may say that an order filled a moment before it tells the fills: the order is FILLED then, and the position follows. Closing counts what was said.',
      scope: 'read',
      query: positionListQuerySchema,
      responses: { 200: { description: 'A page of positions.', schema: positionListSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        return { status: 200, body: await ports.positions.list({ ...(await listFilters(directory, query, userId)), status: query.status }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/positions/{symbol}',
      operationId: 'getPosition',
      tag: 'Positions',
      summary: 'The position in one market',
      description: 'By symbol or the venue\'s own spelling. A flat one is shown with the figures of its last round trip; 404 where nothing was ever held.',
      scope: 'read',
      params: z.strictObject({ symbol: symbolSchema }),
      query: positionQuerySchema,
      responses: { 200: { description: 'The position.', schema: shownPositionSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, query, userId }) {
        const accountId = query.accountId ?? null;
        await directory.assertOwned(accountId, userId);
        const held = async (symbol: string, venue: string | null): Promise<readonly ShownPosition[]> => (await ports.positions.list({ userId, status: 'all', accountId, symbol, venue, cursor: null, limit: PAGE_LIMIT.max })).positions;
        const [position, ...others] = await positionsOf(params.symbol, query.venue ?? null);
        if (position === undefined) throw notFound('position');
        if (others.length === 0) return { status: 200, body: position };
        const accountIds = [position, ...others].map((each) => each.accountId);
        throw validationError([{ path: 'query.accountId', message: `several of your accounts have held ${position.symbol}: name one of ${accountIds.join(', ')}` }]);

        async function positionsOf(symbolOrAlias: string, venue: string | null): Promise<readonly ShownPosition[]> {
          const bySymbol = await held(symbolOrAlias, venue);
          if (bySymbol.length > 0) return bySymbol;
          const account = accountId === null ? null : await directory.account(accountId, userId);
          const market = await directory.findMarket(symbolOrAlias, account?.venue ?? venue);
          return held(market.symbol, market.venue);
        }
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/positions/{id}/close',
      operationId: 'closePosition',
      isExit: true,
      tag: 'Positions',
      summary: 'Close a position, or part of it, by market or limit',
      description: 'Places a reduce-only order; without a quantity, for all there is, also what orders say filled while their fills are still to come. Needs an Idempotency-Key: a repeat with it closes nothing more.',
      scope: 'trade',
      params: z.strictObject({ id: positionIdSchema }),
      query: z.strictObject(answerTimeoutQuery),
      headers: idempotencyHeaders,
      body: positionCloseSchema,
      bodyRequired: false,
      responses: PLACED,
      errors: PLACING_ERRORS,
      async handle({ params, query, headers, body, userId }) {
        const key = headers['idempotency-key'];
        if (key === undefined) throw validationError([{ path: 'header.idempotency-key', message: 'is required here: without it a repeat could close twice' }]);
        const asked = body.quantity === undefined ? null : decimalText(body.quantity);
        const limitPrice = body.limitPrice === undefined ? null : decimalText(body.limitPrice);
        // Closing at market is what a body without a type has always meant: such requests hash as they did.
        const stamp = { positionId: params.id, quantity: asked, ...(limitPrice === null ? {} : { limitPrice }) };
        const request = { userId, idempotency: requestStamp(key, CLOSE, stamp), timeoutMs: query.timeoutMs };
        const position = await ports.positions.closable(params.id, userId);
        if (position === null) throw notFound('position');
        // A repeat after the position was closed still meets its order, so the record is asked before the position is judged.
        const isRepeat = (await placement.recordOf(request, 0))?.isOwn === true;
        const [placed] = await placement.place(request, [closingTerms(position, asked, limitPrice, isRepeat)]);
        if (placed === undefined) throw new DomainError('INTERNAL', 'an order without an answer');
        if (placed.answer instanceof DomainError) throw placed.answer;
        return placed.answer;
      },
    }),
  ];
}

function closingTerms(position: Position, asked: string | null, limitPrice: string | null, isRepeat: boolean): OrderTerms {
  const quantity = asked ?? decimalText(position.quantity);
  if (!isRepeat) {
    if (position.side === 'flat') throw new DomainError('CONFLICT', 'the position is flat: there is nothing to close', { details: { positionId: position.id } });
    if (decimal(quantity).greaterThan(decimal(position.quantity))) throw unprocessable('quantity', quantity, `the position holds ${position.quantity}; leave quantity out to close all of it`);
  }
  return {
    accountId: position.accountId,
    clientOrderId: null,
    symbol: position.symbol,
    side: position.side === 'short' ? 'buy' : 'sell',
    type: limitPrice === null ? 'market' : 'limit',
    timeInForce: limitPrice === null ? 'IOC' : 'GTC',
    quantity,
    limitPrice,
    postOnly: false,
    reduceOnly: true,
  };
}
