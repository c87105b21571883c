import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DEFAULT_RISK_LIMITS, type RiskLimits } from '../../domain/account';
import { DomainError } from '../../domain/errors';
import type { VenueCredentials } from '../../domain/venue';
import { assertWithinUser, withinUser } from '../../risk/limits';
import { accountListSchema, accountRequestSchema, accountSchema, balanceListSchema } from '../../schemas/accounts';
import { idSchema } from '../../schemas/fields';
import { notFound } from '../errors';
import { firstBalance } from '../first-balance';
import { unprocessable } from '../order-intent';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

const accountParams = z.strictObject({ id: idSchema });

export function accountRoutes({ ports, log }: RouteContext): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/accounts',
      operationId: 'createAccount',
      tag: 'Accounts',
      summary: 'Add an account at a venue',
      description: 'Answers once its first balance is read, or after 5 s.',
      scope: 'admin',
      body: accountRequestSchema,
      responses: { 201: { description: 'The account.', schema: accountSchema, headers: ['Location'] } },
      errors: ['CONFLICT', 'UNPROCESSABLE', 'RISK_LIMITS_TOO_WIDE', 'RATE_LIMITED', 'VENUE_REJECTED', 'VENUE_UNAVAILABLE', 'VENUE_TIMEOUT'],
      async handle({ body, userId, actor }) {
        assertVenue(body.venue);
        const credential = body.credentials ?? madeCredentials(body.venue);
        const limits = await limitsWithin(userId, body.limits ?? {});
        const id = randomUUID();
        const signerId = ports.venues.signerOf(body.venue, credential);
        // A venue that knows its signers is asked now: a wrong key is better told here than by the first order.
        if (signerId !== null) await ports.venues.tryCredentials(body.venue, credential);
        const account = await ports.accounts.create({ id, userId, name: body.name, venue: body.venue, signerId: signerId ?? id, credential, limits }, actor);
        try {
          await firstBalance(ports, account, log);
        } catch (error) {
          throw new DomainError('SERVICE_UNAVAILABLE', 'the account was made, and what watches it could not be started yet', { outcome: 'applied', retryAfterSeconds: 1, details: { accountId: account.id }, cause: error });
        }
        return { status: 201, body: account, headers: { Location: `/api/v1/accounts/${account.id}` } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/accounts',
      operationId: 'listAccounts',
      tag: 'Accounts',
      summary: 'Your accounts',
      scope: 'read',
      responses: { 200: { description: 'The accounts.', schema: accountListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { accounts: await ports.accounts.list(userId) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/accounts/{id}',
      operationId: 'getAccount',
      tag: 'Accounts',
      summary: 'One account',
      scope: 'read',
      params: accountParams,
      responses: { 200: { description: 'The account.', schema: accountSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, userId }) {
        const account = await ports.accounts.get(params.id, userId);
        if (account === null) throw notFound('account');
        return { status: 200, body: account };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/accounts/{id}/balances',
      operationId: 'listBalances',
      tag: 'Accounts',
      summary: 'An account\'s balances',
      scope: 'read',
      params: accountParams,
      responses: { 200: { description: 'The balances.', schema: balanceListSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, userId }) {
        if ((await ports.accounts.get(params.id, userId)) === null) throw notFound('account');
        return { status: 200, body: { balances: await ports.balances.list(params.id, userId) } };
      },
    }),
  ];

  /** What is not asked for is the default, within the user's limits. Throws RISK_LIMITS_TOO_WIDE for what is asked beyond them. */
  async function limitsWithin(userId: string, asked: Partial<RiskLimits>): Promise<RiskLimits> {
    const user = (await ports.riskLimits.get(userId, null))?.user ?? null;
    const limits = { ...withinUser(DEFAULT_RISK_LIMITS, user), ...defined(asked) };
    assertWithinUser(limits, user);
    return limits;
  }

  function assertVenue(venue: string): void {
    if (!ports.venues.list().some((state) => state.name === venue)) throw unprocessable('venue', venue, `this server has no venue ${venue}; GET /api/v1/venues lists them`);
  }

  function madeCredentials(venue: string): VenueCredentials {
    const made = ports.venues.makeCredentials(venue);
    if (made === null) throw validationError([{ path: 'body.credentials', message: `are required for ${venue}: a trade-only key` }]);
    return made;
  }
}

/** Without the fields that are absent, so that they do not hide the defaults. */
function defined<Fields extends object>(fields: Fields): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [Key in keyof Fields]: Exclude<Fields[Key], undefined> };
}
