import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { DomainError } from '../../domain/errors';
import { flatnessOf, isConfirmed, venueFlatness, type KillSwitch } from '../../domain/kill-switch';
import { idSchema } from '../../schemas/fields';
import { heartbeatRequestSchema, heartbeatSchema, killSwitchListSchema, killSwitchReleaseSchema, killSwitchRequestSchema, killSwitchSchema } from '../../schemas/kill-switch';
import { notFound } from '../errors';
import type { ApiPorts } from '../ports';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

const PATH = '/api/v1/kill-switch';
const params = z.strictObject({ id: idSchema });

export function killSwitchRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'post',
      isExit: true,
      path: PATH,
      operationId: 'latchKillSwitch',
      tag: 'Risk',
      summary: 'Stop an account, a venue or everything',
      description: 'Latched at once, over every restart, until a person releases it. A repeat for the same scope sharpens its mode and never makes it milder. New accounts of the scope are held too. Recorded in the audit log.',
      scope: 'trade',
      body: killSwitchRequestSchema,
      responses: { 200: { description: 'It was latched before; its mode is the sharper of the two.', schema: killSwitchSchema }, 201: { description: 'Latched.', schema: killSwitchSchema } },
      errors: ['NOT_FOUND'],
      async handle({ body, userId, actor }) {
        const { scope, mode, accountId, venue, reason } = body;
        if (venue !== undefined && !ports.venues.list().some(({ name }) => name === venue)) throw validationError([{ path: 'body.venue', message: `no venue is called ${venue}` }]);
        const { killSwitch, isNew } = await ports.killSwitches.latch({ id: randomUUID(), userId, scope, mode, accountId: accountId ?? null, venue: venue ?? null, reason: reason ?? null }, actor);
        const view = await viewOf(ports, killSwitch);
        for (const account of view.accounts) directory.forgetAccount(account.accountId, userId);
        return { status: isNew ? 201 : 200, body: view };
      },
    }),
    route({
      method: 'get',
      path: PATH,
      operationId: 'listKillSwitches',
      tag: 'Risk',
      summary: 'The kill switches that are latched, and how far they are',
      description: 'FLAT_CONFIRMED only after a read of the venue later than the latch and the last fill; a late fill takes it back. FLATTENING says what is left.',
      scope: 'read',
      responses: { 200: { description: 'Oldest first.', schema: killSwitchListSchema } },
      errors: [],
      async handle({ userId }) {
        const latched = await ports.killSwitches.latched(userId);
        return { status: 200, body: { killSwitches: await Promise.all(latched.map((each) => viewOf(ports, each))) } };
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getKillSwitch',
      tag: 'Risk',
      summary: 'One kill switch',
      scope: 'read',
      params,
      responses: { 200: { description: 'The kill switch; a released one covers no account any more.', schema: killSwitchSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: await viewOf(ports, await own(ports, id, userId)) };
      },
    }),
    route({
      method: 'post',
      path: `${PATH}/{id}/release`,
      operationId: 'releaseKillSwitch',
      tag: 'Risk',
      summary: 'Let a person release a kill switch',
      description: 'Each account\'s own status counts again, unless another switch holds it. 409 while a venue is not confirmed, unless you accept that. A repeat is harmless. Recorded in the audit log.',
      scope: 'admin',
      params,
      body: killSwitchReleaseSchema,
      bodyRequired: false,
      responses: { 200: { description: 'Released.', schema: killSwitchSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id }, body, userId, actor }) {
        const before = await viewOf(ports, await own(ports, id, userId));
        if (before.releasedAt === null && !before.confirmed && body.acceptUnconfirmed !== true) {
          throw new DomainError('CONFLICT', 'not every venue is confirmed: wait, or send acceptUnconfirmed', { details: { venues: before.venues } });
        }
        const released = await ports.killSwitches.release(id, userId, actor);
        for (const { accountId } of before.accounts) directory.forgetAccount(accountId, userId);
        return { status: 200, body: await viewOf(ports, released) };
      },
    }),
    route({
      method: 'post',
      isExit: true,
      path: '/api/v1/heartbeat',
      operationId: 'sendHeartbeat',
      tag: 'Risk',
      summary: 'Keep an account\'s dead-man switch from firing',
      description: 'Silence for timeoutMs cancels the account\'s open orders; those that were placed outside only where the venue has a switch of its own. Fired, it is disarmed until the next heartbeat.',
      scope: 'trade',
      body: heartbeatRequestSchema,
      responses: { 200: { description: 'Armed until expiresAt, or disarmed.', schema: heartbeatSchema } },
      errors: ['NOT_FOUND'],
      async handle({ body: { accountId, timeoutMs }, userId }) {
        const account = await directory.account(accountId, userId);
        if (account === null) throw notFound('account');
        const { heartbeat, venue } = await ports.heartbeats.beat(account, timeoutMs);
        return { status: 200, body: { accountId, timeoutMs, expiresAt: heartbeat.expiresAt, beatAt: heartbeat.beatAt, venue } };
      },
    }),
  ];
}

async function viewOf(ports: ApiPorts, killSwitch: KillSwitch) {
  const accounts = killSwitch.releasedAt === null ? (await ports.killSwitches.facts(killSwitch.id)).map((facts) => flatnessOf(killSwitch, facts)) : [];
  return { ...killSwitch, confirmed: accounts.every(({ state }) => isConfirmed(state)), venues: [...venueFlatness(accounts)], accounts };
}

async function own(ports: ApiPorts, id: string, userId: string): Promise<KillSwitch> {
  const killSwitch = await ports.killSwitches.byId(id, userId);
  if (killSwitch === null) throw notFound('kill switch');
  return killSwitch;
}
