import { z } from 'zod';
import { DomainError } from '../../domain/errors';
import { alertChannelChangeSchema, alertChannelListSchema, alertChannelRequestSchema, alertChannelSchema, alertChannelVerificationSchema } from '../../schemas/alerts';
import { idSchema } from '../../schemas/fields';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const params = z.strictObject({ id: idSchema });
const shown = { description: 'The channel.', schema: alertChannelSchema };

export function alertChannelRoutes({ ports }: RouteContext): Route[] {
  const { alertChannels } = ports;
  return [
    route({
      method: 'post',
      path: '/api/v1/alert-channels',
      operationId: 'createAlertChannel',
      tag: 'Alerts',
      summary: 'Have alerts sent to a Telegram chat or an e-mail address',
      description: 'A code is sent there; POST …/verify with it. Until then nothing else is.',
      scope: 'admin',
      body: alertChannelRequestSchema,
      responses: { 201: { ...shown, description: 'The channel, not verified yet.' } },
      errors: ['CONFLICT', 'RATE_LIMITED'],
      async handle({ body, userId, actor }) {
        if (body.kind === 'email' && !alertChannels.sendsEmail) throw new DomainError('CONFLICT', 'this server sends no e-mail: its operator sets SUREFILL_SMTP_URL');
        const where = body.kind === 'telegram' ? { target: body.chatId, botToken: body.botToken } : { target: body.address, botToken: null };
        return { status: 201, body: await alertChannels.create({ userId, kind: body.kind, name: body.name, ...where }, actor) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/alert-channels',
      operationId: 'listAlertChannels',
      tag: 'Alerts',
      summary: 'Your alert channels, newest first',
      scope: 'read',
      responses: { 200: { description: 'The channels.', schema: alertChannelListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { channels: await alertChannels.list(userId) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/alert-channels/{id}',
      operationId: 'getAlertChannel',
      tag: 'Alerts',
      summary: 'One alert channel: whether it works, and what went wrong last',
      scope: 'read',
      params,
      responses: { 200: shown },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: await alertChannels.get(id, userId) };
      },
    }),
    route({
      method: 'patch',
      path: '/api/v1/alert-channels/{id}',
      operationId: 'updateAlertChannel',
      tag: 'Alerts',
      summary: 'Rename, disable or enable an alert channel, or replace its bot token',
      scope: 'admin',
      params,
      body: alertChannelChangeSchema,
      responses: { 200: shown },
      errors: ['NOT_FOUND', 'CONFLICT', 'RATE_LIMITED'],
      async handle({ params: { id }, body, userId, actor }) {
        return { status: 200, body: await alertChannels.change(id, userId, body, actor) };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/alert-channels/{id}',
      operationId: 'deleteAlertChannel',
      tag: 'Alerts',
      summary: 'Delete an alert channel',
      description: 'Its token and address are destroyed, and what waits is not sent any more. Rules go on without it.',
      scope: 'admin',
      params,
      responses: { 200: { ...shown, description: 'The channel as it was.' } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId, actor }) {
        return { status: 200, body: await alertChannels.remove(id, userId, actor) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/alert-channels/{id}/send-code',
      operationId: 'sendAlertChannelCode',
      tag: 'Alerts',
      summary: 'Send another code',
      description: 'The one before is void. Five a day to one address, whoever asks.',
      scope: 'admin',
      params,
      responses: { 202: { ...shown, description: 'The channel; the code is under way.' } },
      errors: ['NOT_FOUND', 'CONFLICT', 'RATE_LIMITED'],
      async handle({ params: { id }, userId }) {
        return { status: 202, body: await alertChannels.sendCode(id, userId) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/alert-channels/{id}/verify',
      operationId: 'verifyAlertChannel',
      tag: 'Alerts',
      summary: 'Give back the code that was sent there',
      scope: 'admin',
      params,
      body: alertChannelVerificationSchema,
      responses: { 200: { ...shown, description: 'The channel, enabled.' } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id }, body, userId, actor }) {
        return { status: 200, body: await alertChannels.verify(id, userId, body.code, actor) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/alert-channels/{id}/test',
      operationId: 'testAlertChannel',
      tag: 'Alerts',
      summary: 'Send a message that says it is a test',
      scope: 'admin',
      params,
      responses: { 202: { ...shown, description: 'The channel; the message is under way.' } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id }, userId }) {
        return { status: 202, body: await alertChannels.test(id, userId) };
      },
    }),
  ];
}
