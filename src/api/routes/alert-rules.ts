import { z } from 'zod';
import { KINDS_OF_ACCOUNTS, KINDS_OF_SYMBOLS, type AlertRule, type AlertRuleChange, type NewAlertRule } from '../../domain/alert';
import { alertParameterSchemas, alertRuleChangeSchema, alertRuleListSchema, alertRuleRequestSchema, alertRuleSchema } from '../../schemas/alerts';
import { idSchema } from '../../schemas/fields';
import type { Directory } from '../directory';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';
import { canonicalTime } from './webhooks';

const params = z.strictObject({ id: idSchema });

export function alertRuleRoutes({ ports, directory }: RouteContext): Route[] {
  const { alertRules } = ports;
  return [
    route({
      method: 'post',
      path: '/api/v1/alert-rules',
      operationId: 'createAlertRule',
      tag: 'Alerts',
      summary: 'Say what you want to be told of',
      description: 'From this call on. docs/alerts.md says what each kind looks at.',
      scope: 'admin',
      body: alertRuleRequestSchema,
      responses: { 201: { description: 'The rule.', schema: alertRuleSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ body, userId, actor }) {
        const { parameters } = await known(directory, { kind: body.kind, parameters: body.parameters });
        const filters = { accountIds: null, ...body, symbols: await unified(directory, 'symbols' in body ? body.symbols : null) };
        // The schema has checked that kind and parameters belong together.
        const rule = { ...filters, parameters, userId, snoozedUntil: timeOrNull(body.snoozedUntil) } as NewAlertRule;
        return { status: 201, body: await alertRules.create(rule, actor) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/alert-rules',
      operationId: 'listAlertRules',
      tag: 'Alerts',
      summary: 'Your alert rules, newest first',
      scope: 'read',
      responses: { 200: { description: 'The rules.', schema: alertRuleListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { rules: await alertRules.list(userId) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/alert-rules/{id}',
      operationId: 'getAlertRule',
      tag: 'Alerts',
      summary: 'One alert rule',
      scope: 'read',
      params,
      responses: { 200: { description: 'The rule.', schema: alertRuleSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: await alertRules.get(id, userId) };
      },
    }),
    route({
      method: 'patch',
      path: '/api/v1/alert-rules/{id}',
      operationId: 'updateAlertRule',
      tag: 'Alerts',
      summary: 'Change, snooze, disable or enable an alert rule',
      scope: 'admin',
      params,
      body: alertRuleChangeSchema,
      responses: { 200: { description: 'The rule.', schema: alertRuleSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, body, userId, actor }) {
        const { kind } = await alertRules.get(id, userId);
        if (body.accountIds !== undefined && body.accountIds !== null && !KINDS_OF_ACCOUNTS.has(kind)) throw validationError([{ path: 'body.accountIds', message: `a ${kind} rule belongs to no account` }]);
        if (body.symbols !== undefined && body.symbols !== null && !KINDS_OF_SYMBOLS.has(kind)) throw validationError([{ path: 'body.symbols', message: `a ${kind} rule is not narrowed to symbols` }]);
        const change: AlertRuleChange = {
          ...body,
          symbols: body.symbols === undefined ? undefined : await unified(directory, body.symbols),
          parameters: body.parameters === undefined ? undefined : (await known(directory, parsed(kind, body.parameters))).parameters,
          snoozedUntil: body.snoozedUntil === undefined ? undefined : timeOrNull(body.snoozedUntil),
        };
        return { status: 200, body: await alertRules.change(id, userId, change, actor) };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/alert-rules/{id}',
      operationId: 'deleteAlertRule',
      tag: 'Alerts',
      summary: 'Delete an alert rule',
      description: 'What it raised stays in the history, and is still delivered.',
      scope: 'admin',
      params,
      responses: { 200: { description: 'The rule as it was.', schema: alertRuleSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId, actor }) {
        return { status: 200, body: await alertRules.remove(id, userId, actor) };
      },
    }),
  ];
}

function parsed(kind: AlertRule['kind'], parameters: unknown): Pick<AlertRule, 'kind' | 'parameters'> {
  const result = alertParameterSchemas[kind].safeParse(parameters);
  if (!result.success) throw validationError(result.error.issues.map((issue) => ({ path: ['body.parameters', ...issue.path.map(String)].join('.'), message: issue.message })));
  return { kind, parameters: result.data };
}

/** A price is of a market that exists, under its unified symbol. Throws NOT_FOUND. */
async function known(directory: Directory, terms: Pick<AlertRule, 'kind' | 'parameters'>): Promise<Pick<AlertRule, 'kind' | 'parameters'>> {
  if (terms.kind !== 'price') return terms;
  const parameters = terms.parameters as Extract<AlertRule, { kind: 'price' }>['parameters'];
  const { venue, symbol } = await directory.findMarket(parameters.symbol, parameters.venue);
  return { kind: 'price', parameters: { ...parameters, venue, symbol } };
}

/** What a rule looks at is told under unified symbols. */
async function unified(directory: Directory, symbols: readonly string[] | null): Promise<readonly string[] | null> {
  return symbols === null ? null : [...new Set(await Promise.all(symbols.map((symbol) => directory.unifiedSymbol(symbol, null))))];
}

function timeOrNull(text: string | null): string | null {
  return text === null ? null : canonicalTime(text);
}
