/** What an order may wait for, at the boundary: its trigger, its start, its end, and how it is pursued. */
import { z } from 'zod';
import { positiveDecimalSchema, timeSchema } from './fields';

/** Longest step of an escalation: a day. */
const MAX_ESCALATION_MS = 86_400_000;
const MAX_SLIPPAGE_BPS = 10_000;
const escalationStepSchema = z.int().min(0).max(MAX_ESCALATION_MS).nullable();

export const executionSchema = z.enum(['native', 'durable', 'both']);
export const priceTypeSchema = z.enum(['last', 'mark', 'index', 'mid']);
export const trailingOffsetTypeSchema = z.enum(['price', 'bps', 'percent']);
export const gapPolicySchema = z.enum(['traded', 'current']);

export const escalationSchema = z
  .strictObject({
    chaseAfterMs: escalationStepSchema.meta({ description: 'ms after the limit was placed: it follows the best price of its own side. null: never.' }),
    marketAfterMs: escalationStepSchema.meta({ description: 'ms after the chase began, or, without one, after the limit was placed: the rest goes out IOC. null: never.' }),
    slippageBps: z.int().min(0).max(MAX_SLIPPAGE_BPS).meta({ description: 'How far beyond the level that fired the chase and the IOC may fill, in basis points.' }),
  })
  .meta({ id: 'Escalation', description: 'What becomes of a triggered limit that does not fill: limit, chase, IOC within a slippage limit.' });

export const conditionFields = {
  triggerPrice: positiveDecimalSchema.optional().meta({ description: 'Required for stops and take-profits; absent for all others.' }),
  triggerPriceType: priceTypeSchema.optional().meta({ description: 'Which price fires it. Default: last for durable, the venue\'s own default for native.' }),
  trailingOffset: positiveDecimalSchema.optional().meta({ description: 'Required for trailing stops: how far the price may come back from its best.' }),
  trailingOffsetType: trailingOffsetTypeSchema.optional().meta({ description: 'Required with trailingOffset. bps and percent are of the best price.' }),
  activationPrice: positiveDecimalSchema.optional().meta({ description: 'A trailing stop follows the price from here on. Absent: at once.' }),
  gapPolicy: gapPolicySchema.optional().meta({ description: 'traded: a level that was traded through while nobody watched fires on return; current: only the present price counts. Default traded.' }),
  escalation: escalationSchema.optional(),
  startAt: timeSchema.optional().meta({ description: 'Nothing happens before it.' }),
  expireTime: timeSchema.optional().meta({ description: 'When the order ends by itself. Required for GTD.' }),
  execution: executionSchema.optional().meta({ description: 'Who waits: native, the venue\'s own trigger order; durable, a workflow of ours; both, a native stop behind the durable one. Default durable.' }),
} as const;

const CONDITION_NAMES = Object.keys(conditionFields) as (keyof typeof conditionFields)[];

export type ConditionRequest = { readonly [Name in keyof typeof conditionFields]?: z.infer<(typeof conditionFields)[Name]> };

const TRAILING = new Set(['trailingStopMarket', 'trailingStopLimit']);
const PLAIN = new Set(['market', 'limit']);

/** Rules over several fields: what is wrong, by the field's name. */
export function conditionIssues(order: ConditionRequest & { readonly type: string; readonly timeInForce?: string | undefined }): readonly { readonly path: keyof ConditionRequest; readonly message: string }[] {
  const issues: { path: keyof ConditionRequest; message: string }[] = [];
  const { type } = order;
  const need = (path: keyof ConditionRequest, message: string): void => {
    if (order[path] === undefined) issues.push({ path, message });
  };
  const forbid = (path: keyof ConditionRequest, message: string): void => {
    if (order[path] !== undefined) issues.push({ path, message });
  };
  if (PLAIN.has(type)) {
    for (const path of CONDITION_NAMES) if (!['startAt', 'expireTime', 'escalation'].includes(path)) forbid(path, `must be absent for a ${type} order`);
  } else if (TRAILING.has(type)) {
    need('trailingOffset', `is required for ${type}`);
    need('trailingOffsetType', `is required for ${type}`);
    forbid('triggerPrice', `must be absent for ${type}: its level follows the price`);
  } else {
    need('triggerPrice', `is required for ${type}`);
    for (const path of ['trailingOffset', 'trailingOffsetType', 'activationPrice'] as const) forbid(path, `must be absent for ${type}`);
  }
  if (!type.endsWith('imit')) forbid('escalation', `must be absent for ${type}: it is pursued at the market already`);
  if (type === 'market') forbid('expireTime', 'must be absent for a market order');
  if (order.timeInForce === 'GTD') need('expireTime', 'is required for GTD');
  if (type === 'limit' && order.timeInForce !== 'GTD') forbid('expireTime', 'needs timeInForce GTD');
  if (order.startAt !== undefined && order.expireTime !== undefined && Date.parse(order.expireTime) <= Date.parse(order.startAt)) issues.push({ path: 'expireTime', message: 'must be after startAt' });
  if (order.execution === 'native') for (const path of ['startAt', 'escalation', 'gapPolicy'] as const) forbid(path, 'must be absent for execution native: the venue has none');
  return issues;
}
