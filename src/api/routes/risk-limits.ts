import type { RiskLimits, UserRiskLimits } from '../../domain/account';
import { decimalText } from '../../domain/decimal';
import type { z } from 'zod';
import { riskLimitsQuerySchema, riskLimitsUpdateSchema, riskLimitsViewSchema } from '../../schemas/risk-limits';
import { notFound } from '../errors';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

const PATH = '/api/v1/risk-limits';
/** What an account may not be without. */
const FINITE = ['maxOrderNotional', 'maxPositionNotional', 'maxOpenOrders', 'maxDailyLoss'] as const;

export function riskLimitRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: PATH,
      operationId: 'getRiskLimits',
      tag: 'Risk',
      summary: 'Your limits, or those of one account',
      scope: 'read',
      query: riskLimitsQuerySchema,
      responses: { 200: { description: 'The limits.', schema: riskLimitsViewSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        const view = await ports.riskLimits.get(userId, query.accountId ?? null);
        if (view === null) throw notFound('account');
        return { status: 200, body: view };
      },
    }),
    route({
      method: 'put',
      path: PATH,
      operationId: 'setRiskLimits',
      tag: 'Risk',
      summary: 'Set your limits, or those of one account',
      description: 'They hold from the next order on. An account\'s must be within yours; narrower ones of yours bind every account at once. Recorded in the audit log.',
      scope: 'admin',
      query: riskLimitsQuerySchema,
      body: riskLimitsUpdateSchema,
      responses: { 200: { description: 'The limits as they are now.', schema: riskLimitsViewSchema } },
      errors: ['NOT_FOUND', 'RISK_LIMITS_TOO_WIDE'],
      async handle({ query, body, userId, actor }) {
        const limits = canonical(body);
        if (query.accountId === undefined) return { status: 200, body: await ports.riskLimits.setOfUser(userId, limits, actor) };
        const view = await ports.riskLimits.setOfAccount(userId, query.accountId, finite(limits), actor);
        directory.forgetAccount(query.accountId, userId);
        return { status: 200, body: view };
      },
    }),
  ];
}

function canonical(body: z.infer<typeof riskLimitsUpdateSchema>): UserRiskLimits {
  const text = (value: string | null): string | null => (value === null ? null : decimalText(value));
  return {
    maxOrderNotional: text(body.maxOrderNotional),
    maxPositionNotional: text(body.maxPositionNotional),
    maxOpenOrders: body.maxOpenOrders,
    maxDailyLoss: text(body.maxDailyLoss),
    ...(body.maxDrawdown === undefined ? {} : { maxDrawdown: text(body.maxDrawdown) }),
    priceBandPercent: text(body.priceBandPercent),
    allowedSymbols: body.allowedSymbols,
  };
}

function finite(limits: UserRiskLimits): RiskLimits {
  const missing = FINITE.filter((field) => limits[field] === null);
  if (missing.length > 0) throw validationError(missing.map((field) => ({ path: `body.${field}`, message: 'must not be null for an account' })));
  return limits as RiskLimits;
}
