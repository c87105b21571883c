import { z } from 'zod';
import { ENDED_MOVE_STATES, type CollateralMove, type MoveKind } from '../../domain/collateral-move';
import { decimalText } from '../../domain/decimal';
import { DomainError, type ErrorCode } from '../../domain/errors';
import { collateralMoveListQuerySchema, collateralMovePageSchema, collateralMoveSchema, marginRequestSchema, transferRequestSchema } from '../../schemas/collateral-moves';
import { idSchema, uuidSchema } from '../../schemas/fields';
import { notFound } from '../errors';
import { unprocessable } from '../order-intent';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';
import { positionIdSchema } from './positions';

const TAG = 'Collateral';
const headers = z.object({ 'idempotency-key': idSchema.optional().meta({ description: 'Names the move, and is needed: the same key and body always meet the same move.' }) });
const MOVED = {
  201: { description: 'The venue has answered: APPLIED, or REFUSED with its words.', schema: collateralMoveSchema, headers: ['Location'] },
  202: { description: 'Recorded; what became of it is not known yet, and is being pursued.', schema: collateralMoveSchema, headers: ['Location'] },
} as const;
const ERRORS: readonly ErrorCode[] = ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE', 'IDEMPOTENCY_MISMATCH', 'VENUE_REJECTED', 'VENUE_UNAVAILABLE'];

export function collateralMoveRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/positions/{id}/margin',
      operationId: 'adjustMargin',
      tag: TAG,
      summary: 'Add margin to an isolated position, or take it away',
      description: 'Needs an Idempotency-Key: a repeat with it moves nothing more. 422 where the venue has no such margin, or the position has none of its own. Recorded in the audit log.',
      scope: 'trade',
      params: z.strictObject({ id: positionIdSchema }),
      headers,
      body: marginRequestSchema,
      responses: MOVED,
      errors: ERRORS,
      async handle({ params, headers: { 'idempotency-key': given }, body, userId, actor }) {
        const key = keyed(given);
        const position = await ports.positions.byId(params.id, userId);
        if (position === null) throw notFound('position');
        const { accountId, venue, symbol } = position;
        able(venue, 'margin');
        // A repeat after the position was closed still meets its move.
        if (position.side === 'flat' && (await ports.collateral.ofKey(userId, key)) === null) throw new DomainError('CONFLICT', 'the position is flat: it has no margin', { details: { positionId: position.id } });
        const market = await directory.findMarket(symbol, venue);
        return answer(await ports.collateral.begin({ userId, accountId, venue, kind: 'margin', symbol: market.symbol, venueSymbol: market.venueSymbol, from: null, to: null, asset: market.quote, amount: decimalText(body.amount), requestedBy: actor }, key));
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/accounts/{id}/transfers',
      operationId: 'transferCollateral',
      tag: TAG,
      summary: 'Move collateral between the pools of an account',
      description: 'Never out of the account. Needs an Idempotency-Key: a repeat with it moves nothing more. 422 where the venue has one pool. Recorded in the audit log.',
      scope: 'trade',
      params: z.strictObject({ id: idSchema }),
      headers,
      body: transferRequestSchema,
      responses: MOVED,
      errors: ERRORS,
      async handle({ params, headers: { 'idempotency-key': given }, body, userId, actor }) {
        const key = keyed(given);
        const account = await directory.account(params.id, userId);
        if (account === null) throw notFound('account');
        able(account.venue, 'transfer');
        const { from, to, asset } = body;
        if (from === to) throw unprocessable('to', to, `collateral cannot move from ${from} to ${to}: to must be another pool`);
        return answer(await ports.collateral.begin({ userId, accountId: account.id, venue: account.venue, kind: 'transfer', symbol: null, venueSymbol: null, from, to, asset, amount: decimalText(body.amount), requestedBy: actor }, key));
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/collateral-moves',
      operationId: 'listCollateralMoves',
      tag: TAG,
      summary: 'Margin and collateral that was moved, newest first',
      scope: 'read',
      query: collateralMoveListQuerySchema,
      responses: { 200: { description: 'A page of moves.', schema: collateralMovePageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        const accountId = query.accountId ?? null;
        await directory.assertOwned(accountId, userId);
        return { status: 200, body: await ports.collateral.list({ userId, accountId, cursor: query.cursor ?? null, limit: query.limit }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/collateral-moves/{id}',
      operationId: 'getCollateralMove',
      tag: TAG,
      summary: 'A collateral move',
      scope: 'read',
      params: z.strictObject({ id: uuidSchema }),
      responses: { 200: { description: 'The move.', schema: collateralMoveSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        const move = await ports.collateral.get(id, userId);
        if (move === null) throw notFound('collateral move');
        return { status: 200, body: move };
      },
    }),
  ];

  function able(venue: string, kind: MoveKind): void {
    const can = directory.capabilities(venue)?.collateralMoves ?? [];
    if (!can.includes(kind)) throw unprocessable('venue', venue, kind === 'margin' ? `${venue} has no margin that could be moved to a position or away; GET /api/v1/venues tells which venues have` : `${venue} has one pool of collateral; GET /api/v1/venues tells which venues have several`);
  }
}

function keyed(key: string | undefined): string {
  if (key === undefined) throw validationError([{ path: 'header.idempotency-key', message: 'is required here: without it a repeat could move twice' }]);
  return key;
}

function answer(move: CollateralMove) {
  return { status: ENDED_MOVE_STATES.has(move.state) ? (201 as const) : (202 as const), body: move, headers: { Location: `/api/v1/collateral-moves/${move.id}` } };
}
