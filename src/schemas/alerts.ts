/** Alerts to people at the boundary: rules, channels, what was raised. */
import { z } from 'zod';
import { ALERT_KINDS, CHANNEL_DISABLED_REASONS, CHANNEL_KINDS, CHANNEL_STATUSES, NOTICE_STATUSES } from '../domain/alert';
import { idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, symbolSchema, timeSchema, venueNameSchema } from './fields';

const MAX_NAME = 64;
const MAX_LISTED = 100;
const DAY_SECONDS = 86_400;
const DAY_MINUTES = 1_440;
/** A rule that is quiet for longer is deleted instead. */
const MAX_COOLDOWN_SECONDS = 7 * DAY_SECONDS;
/** Half of the price: further back is no way back. */
const MAX_REARM_BPS = 5_000;
const DEFAULT_REARM_BPS = 10;

/** One line without what a terminal or a header could read otherwise. */
const nameSchema = z.string().regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,64}$/, `must be one line of 1 to ${MAX_NAME} characters`).meta({ examples: ['BTC above 100k'] }); // eslint-disable-line no-control-regex -- the characters themselves are meant

const percentSchema = z
  .string('must be a decimal as a string such as "5"')
  .regex(/^(?=.*[1-9])\d{1,2}(\.\d{1,8})?$/, 'must be a percentage above 0 and below 100, as a string such as "5"')
  .meta({ description: 'Between mark and liquidation price, in percent of the mark.', examples: ['5'] });

const PARAMETERS = {
  price: z.strictObject({
    venue: venueNameSchema,
    symbol: symbolSchema,
    direction: z.enum(['atOrAbove', 'atOrBelow']),
    price: positiveDecimalSchema,
    priceType: z.enum(['last', 'mark', 'mid']).default('last'),
    repeats: z.boolean().default(false).meta({ description: 'false: once, then the rule is disabled. true: again whenever the price comes to the level anew.' }),
    rearmBps: z.int().min(1).max(MAX_REARM_BPS).default(DEFAULT_REARM_BPS).meta({ description: 'How far the price has to go back from the level before it counts as coming to it anew, in basis points of the level.' }),
  }),
  fill: z.strictObject({ side: z.enum(['buy', 'sell']).nullable().default(null), minNotional: positiveDecimalSchema.nullable().default(null).meta({ description: 'Price times quantity, at least; null: every fill.' }) }),
  protection: z.strictObject({}),
  liquidationDistance: z.strictObject({ percent: percentSchema }),
  loss: z.strictObject({ amount: positiveDecimalSchema.nullable().default(null).meta({ description: 'Lost since the UTC day began, open positions at their mark, in the quote asset. null: only when a limit of the account itself trips, which is told in any case.' }) }),
  venueDown: z.strictObject({
    venue: venueNameSchema.nullable().default(null).meta({ description: 'null: every venue that an account of yours is at.' }),
    afterSeconds: z.int().min(1).max(DAY_SECONDS).default(30).meta({ description: 'How long an account has to be out of step with its venue.' }),
  }),
  depositStuck: z.strictObject({ afterMinutes: z.int().min(1).max(7 * DAY_MINUTES).default(20).meta({ description: 'How long nothing happens to a deposit that is under way.' }) }),
} as const;

const accountIdsSchema = z.array(idSchema).min(1, 'must name at least one account, or be null for all').max(MAX_LISTED).nullable();
const symbolsSchema = z.array(symbolSchema).min(1, 'must name at least one symbol, or be null for all').max(MAX_LISTED).nullable();
const settings = {
  name: nameSchema,
  channelIds: z.array(idSchema).max(20).meta({ description: 'Alert channels that carry it. Webhooks and sockets hear of every alert by the event alert.raised.' }),
  cooldownSeconds: z.int().min(0).max(MAX_COOLDOWN_SECONDS).meta({ description: 'After an alert, silence on the same subject for so long; the next one says how many were kept silent.' }),
  digestMinutes: z.int().min(1).max(DAY_MINUTES).nullable().meta({ description: 'Alerts are gathered for so long into one message; null: each at once.' }),
  snoozedUntil: timeSchema.nullable().meta({ description: 'Until then channels are quiet; then they hear of all of it in one message. null ends a snooze now.' }),
};
const DEFAULT_COOLDOWN_SECONDS = 300;
const whenMade = {
  name: settings.name,
  channelIds: settings.channelIds.default([]),
  digestMinutes: settings.digestMinutes.default(null),
  snoozedUntil: settings.snoozedUntil.default(null),
};
const cooldown = settings.cooldownSeconds.default(DEFAULT_COOLDOWN_SECONDS);
const ofAccounts = { accountIds: accountIdsSchema.default(null) };
const ofMarkets = { ...ofAccounts, symbols: symbolsSchema.default(null) };

export const alertRuleRequestSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('price'), ...whenMade, cooldownSeconds: settings.cooldownSeconds.default(0), parameters: PARAMETERS.price }),
    z.strictObject({ kind: z.literal('fill'), ...whenMade, ...ofMarkets, cooldownSeconds: settings.cooldownSeconds.default(0), parameters: PARAMETERS.fill.prefault({}) }),
    z.strictObject({ kind: z.literal('protection'), ...whenMade, ...ofMarkets, cooldownSeconds: cooldown, parameters: PARAMETERS.protection.prefault({}) }),
    z.strictObject({ kind: z.literal('liquidationDistance'), ...whenMade, ...ofMarkets, cooldownSeconds: cooldown, parameters: PARAMETERS.liquidationDistance }),
    z.strictObject({ kind: z.literal('loss'), ...whenMade, ...ofAccounts, cooldownSeconds: cooldown, parameters: PARAMETERS.loss.prefault({}) }),
    z.strictObject({ kind: z.literal('venueDown'), ...whenMade, ...ofAccounts, cooldownSeconds: cooldown, parameters: PARAMETERS.venueDown.prefault({}) }),
    z.strictObject({ kind: z.literal('depositStuck'), ...whenMade, cooldownSeconds: cooldown, parameters: PARAMETERS.depositStuck.prefault({}) }),
  ])
  .meta({ id: 'AlertRuleRequest', examples: [{ kind: 'price', name: 'BTC above 100k', channelIds: [], parameters: { venue: 'paper', symbol: 'BTC-PERP', direction: 'atOrAbove', price: '100000' } }] });

/** Judged by the rule's own kind once it is known. */
export const alertParameterSchemas = PARAMETERS;

export const alertRuleChangeSchema = z
  .strictObject({
    name: settings.name.optional(),
    parameters: z.record(z.string(), z.unknown()).optional().meta({ description: 'All of them, of the rule\'s kind.' }),
    accountIds: accountIdsSchema.optional(),
    symbols: symbolsSchema.optional(),
    channelIds: settings.channelIds.optional(),
    cooldownSeconds: settings.cooldownSeconds.optional(),
    digestMinutes: settings.digestMinutes.optional(),
    snoozedUntil: settings.snoozedUntil.optional(),
    enabled: z.boolean().optional().meta({ description: 'Enabled again it looks at what happens from then on.' }),
  })
  .meta({ id: 'AlertRuleChange', description: 'What is absent stays.' });

const shownParameters = z.union([PARAMETERS.price, PARAMETERS.fill, PARAMETERS.liquidationDistance, PARAMETERS.loss, PARAMETERS.venueDown, PARAMETERS.depositStuck, PARAMETERS.protection]);
export const alertRuleSchema = z
  .strictObject({
    id: idSchema,
    userId: z.string(),
    kind: z.enum(ALERT_KINDS),
    parameters: shownParameters,
    accountIds: z.array(z.string()).nullable(),
    symbols: z.array(z.string()).nullable(),
    ...settings,
    enabled: z.boolean(),
    activeSince: timeSchema.meta({ description: 'What happened before is not told.' }),
    revision: z.int().min(1),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'AlertRule' });
export const alertRuleListSchema = z.strictObject({ rules: z.array(alertRuleSchema) }).meta({ id: 'AlertRuleList' });

const emailSchema = z
  .string()
  .max(254)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$/, 'must be an ordinary e-mail address such as trader@example.com')
  .meta({ examples: ['trader@example.com'] });
const botTokenSchema = z
  .string()
  .regex(/^\d{1,20}:[A-Za-z0-9_-]{20,64}$/, 'must be a bot token as BotFather gives it out')
  .meta({ description: 'Of a bot that you made with BotFather. Sealed, and shown by no answer.', examples: ['123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11'], writeOnly: true });
const chatIdSchema = z
  .string()
  .regex(/^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{4,31})$/, 'must be a chat id such as "123456789", or a channel such as "@mychannel"')
  .meta({ description: 'Write to the bot first: it may not begin a conversation.', examples: ['123456789'] });

export const alertChannelRequestSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('telegram'), name: nameSchema, botToken: botTokenSchema, chatId: chatIdSchema }),
    z.strictObject({ kind: z.literal('email'), name: nameSchema, address: emailSchema }),
  ])
  .meta({ id: 'AlertChannelRequest', examples: [{ kind: 'email', name: 'my mail', address: 'trader@example.com' }] });

export const alertChannelChangeSchema = z
  .strictObject({ name: nameSchema.optional(), enabled: z.boolean().optional(), botToken: botTokenSchema.optional().meta({ description: 'Another token of the same chat: it is verified anew.' }) })
  .meta({ id: 'AlertChannelChange', description: 'What is absent stays.' });

export const alertChannelVerificationSchema = z
  .strictObject({ code: z.string().regex(/^\d{6}$/, 'must be the six digits that were sent').meta({ examples: ['123456'] }) })
  .meta({ id: 'AlertChannelVerification' });

export const alertChannelSchema = z
  .strictObject({
    id: idSchema,
    userId: z.string(),
    kind: z.enum(CHANNEL_KINDS),
    name: z.string(),
    target: z.string().meta({ description: 'The chat\'s id, or the address.' }),
    status: z.enum(CHANNEL_STATUSES).meta({ description: 'unverified: nothing but codes is sent there until one comes back.' }),
    disabledReason: z.enum(CHANNEL_DISABLED_REASONS).nullable(),
    disabledAt: timeSchema.nullable(),
    verifiedAt: timeSchema.nullable(),
    heldUntil: timeSchema.nullable().meta({ description: 'Nothing is sent before: an attempt failed, or a pause was asked for.' }),
    lastError: z.string().nullable(),
    lastDeliveredAt: timeSchema.nullable(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    waiting: z.int().min(0).meta({ description: 'Alerts that wait to be sent there.' }),
  })
  .meta({ id: 'AlertChannel' });
export const alertChannelListSchema = z.strictObject({ channels: z.array(alertChannelSchema) }).meta({ id: 'AlertChannelList' });

/** As its events tell it. */
export const alertSchema = z
  .strictObject({
    id: idSchema,
    userId: z.string(),
    ruleId: z.string(),
    ruleName: z.string(),
    kind: z.enum(ALERT_KINDS),
    subject: z.string().meta({ description: 'What it is about: the cooldown counts by it.' }),
    title: z.string(),
    body: z.string(),
    accountId: z.string().nullable(),
    symbol: z.string().nullable(),
    data: z.looseObject({}).meta({ description: 'The figures behind the words, by kind.' }),
    suppressed: z.int().min(0).meta({ description: 'Alerts on this subject that the cooldown kept silent before it.' }),
    raisedAt: timeSchema,
    acknowledgedAt: timeSchema.nullable(),
    acknowledgedBy: z.string().nullable(),
  })
  .meta({ id: 'RaisedAlert' });
export const shownAlertSchema = z
  .strictObject({ ...alertSchema.shape, deliveries: z.array(z.strictObject({ channelId: z.string(), status: z.enum(NOTICE_STATUSES), at: timeSchema })).meta({ description: 'How far each channel is with it.' }) })
  .meta({ id: 'Alert' });
export const alertPageSchema = z.strictObject({ alerts: z.array(shownAlertSchema), nextCursor: nextCursorSchema }).meta({ id: 'AlertPage' });

export const alertListQuerySchema = z.strictObject({
  ...pageQuery,
  ruleId: idSchema.optional().meta({ description: 'Of this rule, also a deleted one; absent: of all.' }),
  kind: z.enum(ALERT_KINDS).optional().meta({ description: 'Absent: every kind.' }),
  acknowledged: z.enum(['true', 'false']).optional().meta({ description: 'Absent: both.' }),
});
