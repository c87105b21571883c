/** What a Socket.io client may send. Strict: an unknown field is a mistake the caller should hear of. */
import { z } from 'zod';
import { idSchema, symbolSchema, venueNameSchema } from './fields';

export const ACCOUNT_CHANNELS = ['orders', 'orderLists', 'strategies', 'fills', 'positions', 'balances', 'trades', 'account'] as const;
export type AccountChannel = (typeof ACCOUNT_CHANNELS)[number];
/** Of what belongs to a user rather than to an account. */
export const USER_CHANNELS = ['deposits', 'alerts'] as const;
export type UserChannel = (typeof USER_CHANNELS)[number];
export const MARKET_CHANNELS = ['prices', 'orderbook'] as const;
export type MarketChannel = (typeof MARKET_CHANNELS)[number];

/** A key is under 100 characters; nothing longer is looked up. */
export const handshakeAuthSchema = z.object({ token: z.string('send your API key as auth: {token}').min(1).max(200) });

const accountSubject = { channel: z.enum(ACCOUNT_CHANNELS), accountId: idSchema };
const userSubject = { channel: z.enum(USER_CHANNELS) };
const marketSubject = { channel: z.enum(MARKET_CHANNELS), symbol: symbolSchema, venue: venueNameSchema };

const resume = {
  sinceSequence: z.int().min(0).optional().meta({ description: 'The last sequence you have of this channel: what came after it is replayed.' }),
  generation: z.string().max(200).optional().meta({ description: 'The generation that sequence belongs to; another one answers with resync.' }),
};

export const subscribeSchema = z.discriminatedUnion('channel', [
  z.strictObject({ ...accountSubject, ...resume }),
  z.strictObject({ ...userSubject, ...resume }),
  z.strictObject(marketSubject),
], `channel must be one of ${ACCOUNT_CHANNELS.join(', ')} (with accountId), ${USER_CHANNELS.join(', ')}, or of ${MARKET_CHANNELS.join(', ')} (with symbol and venue)`);
export type SubscribeRequest = z.infer<typeof subscribeSchema>;
export type UserSubscribeRequest = Extract<SubscribeRequest, { channel: UserChannel }>;
export type AccountSubscribeRequest = Extract<SubscribeRequest, { accountId: string }>;
export type MarketSubscribeRequest = Extract<SubscribeRequest, { symbol: string }>;

export const unsubscribeSchema = z.discriminatedUnion('channel', [z.strictObject(accountSubject), z.strictObject(userSubject), z.strictObject(marketSubject)]);
export type UnsubscribeRequest = z.infer<typeof unsubscribeSchema>;
