import { z } from 'zod';
import type { Account } from '../../domain/account';
import { decimal, decimalText } from '../../domain/decimal';
import { DomainError } from '../../domain/errors';
import { accountChangeSchema, accountSchema, leverageRequestSchema, leverageSchema } from '../../schemas/accounts';
import { idSchema } from '../../schemas/fields';
import { notFound } from '../errors';
import { unprocessable } from '../order-intent';
import type { ApiPorts } from '../ports';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const accountParams = z.strictObject({ id: idSchema });
const VENUE_ERRORS = ['RATE_LIMITED', 'VENUE_REJECTED', 'VENUE_UNAVAILABLE', 'VENUE_TIMEOUT'] as const;

export function accountChangeRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'patch',
      path: '/api/v1/accounts/{id}',
      operationId: 'changeAccount',
      tag: 'Accounts',
      summary: 'Rename an account, halt, reduce or release it, or replace its key',
      description: 'All of it or nothing. A new key is tried at the venue first; one that it refuses changes nothing. While orders are open, a position is held or money is on its way, it must be a key for the same address. An account that was halted because its key was refused, or its master key is lost, needs the new key and `status: ACTIVE`; without one that it lacks it is not released (CONFLICT).',
      scope: 'admin',
      params: accountParams,
      body: accountChangeSchema,
      responses: { 200: { description: 'The account as it is now; what watches it knows.', schema: accountSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', ...VENUE_ERRORS],
      async handle({ params, body, userId, actor }) {
        const before = await own(params.id, userId);
        if (body.credentials !== undefined) await ports.venues.tryCredentials(before.venue, body.credentials);
        const signerId = body.credentials === undefined ? null : ports.venues.signerOf(before.venue, body.credentials);
        const after = await ports.accounts.change(
          before.id,
          userId,
          {
            ...(body.name === undefined ? {} : { name: body.name }),
            ...(body.status === undefined ? {} : { status: { status: body.status, reason: body.status === 'ACTIVE' ? null : (body.reason ?? null) } }),
            ...(body.credentials === undefined ? {} : { credential: body.credentials }),
            ...(signerId === null ? {} : { signerId }),
          },
          actor,
        );
        directory.forgetAccount(after.id, userId);
        await told(after, () => ports.accounts.changed(after, { keyReplaced: body.credentials !== undefined }));
        return { status: 200, body: after };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/accounts/{id}',
      operationId: 'deleteAccount',
      tag: 'Accounts',
      summary: 'Delete an account',
      description: 'Only one without open orders and positions. Its sealed key is destroyed; its orders, fills and events stay readable.',
      scope: 'admin',
      params: accountParams,
      responses: { 200: { description: 'The account as it was.', schema: accountSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params, userId, actor }) {
        const account = await ports.accounts.remove(params.id, userId, actor);
        directory.forgetAccount(account.id, userId);
        await told(account, () => ports.accounts.removed(account));
        return { status: 200, body: account };
      },
    }),
    route({
      method: 'put',
      path: '/api/v1/accounts/{id}/leverage',
      operationId: 'setLeverage',
      tag: 'Accounts',
      summary: 'Set an account\'s leverage and margin mode in one market',
      description: 'Set at the venue first, then in the figures risk judges by. A repeat is harmless.',
      scope: 'trade',
      params: accountParams,
      body: leverageRequestSchema,
      responses: { 200: { description: 'As the venue took it.', schema: leverageSchema } },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE', ...VENUE_ERRORS],
      async handle({ params, body, userId, actor }) {
        const account = await own(params.id, userId);
        const market = await directory.findMarket(body.symbol, account.venue);
        if (market.kind === 'spot') throw unprocessable('symbol', body.symbol, 'a spot market has no leverage');
        const leverage = decimalText(body.leverage);
        if (decimal(leverage).lessThan(1)) throw unprocessable('leverage', leverage, `leverage must be at least 1; got ${leverage}`, { leverage: '1' });
        if (decimal(leverage).greaterThan(market.maxLeverage)) throw unprocessable('leverage', leverage, `is above the maximum of ${market.symbol}, ${market.maxLeverage}`, { leverage: market.maxLeverage });
        const marginModes = directory.capabilities(account.venue)?.marginModes ?? ['cross'];
        if (!marginModes.includes(body.marginMode)) throw unprocessable('marginMode', body.marginMode, `${account.venue} has only ${marginModes.join(' and ')}`);
        const setting = { symbol: market.symbol, venueSymbol: market.venueSymbol, leverage, marginMode: body.marginMode };
        await ports.accounts.setLeverage(account, setting, actor);
        return { status: 200, body: { accountId: account.id, symbol: market.symbol, leverage, marginMode: body.marginMode } };
      },
    }),
  ];

  async function own(id: string, userId: string): Promise<Account> {
    const account = await ports.accounts.get(id, userId);
    if (account === null) throw notFound('account');
    return account;
  }
}

/** The change stands; where its watcher could not be told, the same call again tells it. */
async function told(account: Account, tell: () => ReturnType<ApiPorts['accounts']['removed']>): Promise<void> {
  try {
    await tell();
  } catch (error) {
    throw new DomainError('SERVICE_UNAVAILABLE', 'the account was changed, and what watches it could not be told yet', { outcome: 'applied', retryAfterSeconds: 1, details: { accountId: account.id }, cause: error });
  }
}
