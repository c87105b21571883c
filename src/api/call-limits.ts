/**
 * Limits on callers: for each kind of call a bucket per API key and a larger one per IP address, over all API processes.
 * The address is judged before the key, so that guessing keys is slow; the key after the body, so that each order counts.
 */
import { isIPv6 } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import type { CallKind, CallRate, CallRates } from '../domain/call-rate';
import { DomainError } from '../domain/errors';
import type { BudgetRequest } from '../domain/rate-budget';
import type { ApiPorts, Identity } from './ports';
import { contextOf } from './request-context';
import type { Route } from './route';

/** What of a route its limits depend on. */
export type LimitedRoute = Pick<Route, 'method' | 'scope' | 'limit' | 'isExit' | 'countsOrders' | 'takesAlerts'> & { readonly schemas?: Pick<Route['schemas'], 'body'> };

export interface CallLimitRules {
  readonly rates: CallRates;
  /** How many times a key's limit one address may use. */
  readonly addressFactor: number;
}

/** The part of an orders bucket that only cancels and exits may use. */
const EXIT_RESERVE = 0.2;
/** No venue may have this name, so that no venue's ban can bind a caller. */
const SCOPE = '~caller';

export class CallLimits {
  constructor(
    private readonly ports: Pick<ApiPorts, 'callerLimits'>,
    private readonly rules: CallLimitRules,
  ) {}

  /** Middleware before the key is looked at. What its body may prove to be an exit is held back, not refused yet. */
  forAddress(route: LimitedRoute): RequestHandler {
    return async (request, response, next) => {
      try {
        await this.takeOfAddress(route, request, response);
      } catch (error) {
        if (!isExitByBody(route) || !(error instanceof DomainError)) throw error;
        contextOf(response).heldBack = error;
      }
      next();
    };
  }

  /** Middleware after the body of what was held back is read: an exit may use what is kept for exits. */
  forHeldBack(route: LimitedRoute): RequestHandler {
    return async (request, response, next) => {
      const { heldBack } = contextOf(response);
      if (heldBack !== null) {
        if (!isExit(route, request.body)) throw heldBack;
        await this.takeOfAddress(route, request, response);
      }
      next();
    };
  }

  /** Middleware once the caller is known and the body is read. */
  forKey(route: LimitedRoute): RequestHandler {
    const kind = kindOf(route);
    return async (request, response, next) => {
      const { identity } = contextOf(response);
      const rate = identity === null ? null : this.rateOf(identity, kind);
      if (identity !== null && rate !== null) await this.take(response, `${kind}/key/${identity.keyId}`, rate, kind, route, request.body);
      next();
    };
  }

  private async takeOfAddress(route: LimitedRoute, request: Request, response: Response): Promise<void> {
    const kind = kindOf(route);
    const rate = this.rules.rates[kind];
    if (rate !== null) await this.take(response, `${kind}/ip/${addressOf(request)}`, times(rate, this.rules.addressFactor), kind, route, request.body);
  }

  private rateOf(identity: Identity, kind: CallKind): CallRate | null {
    const own = identity.rates?.[kind];
    return own === undefined ? this.rules.rates[kind] : own;
  }

  private async take(response: Response, name: string, rate: CallRate, kind: CallKind, route: LimitedRoute, body: unknown): Promise<void> {
    const refillPerSecond = (rate.count * 1_000) / rate.periodMs;
    const reserve = kind === 'orders' ? EXIT_RESERVE : 0;
    const request: BudgetRequest = {
      scope: `${SCOPE}/${name}`,
      rule: { capacity: rate.burst / (1 - reserve), refillPerSecond, reserve },
      weight: weightOf(route, body),
      class: isExit(route, body) ? 'exit' : 'entry',
      caller: true,
    };
    const verdict = await this.ports.callerLimits.take(request);
    const remaining = verdict.granted ? (verdict.remaining ?? 0) : 0;
    const waitSeconds = verdict.granted ? Math.max(0, rate.burst - remaining) / refillPerSecond : verdict.retryAfterMs / 1_000;
    response.set({
      'RateLimit-Limit': String(rate.burst),
      'RateLimit-Remaining': String(Math.min(rate.burst, remaining)),
      'RateLimit-Reset': String(Math.ceil(waitSeconds)),
      'RateLimit-Policy': `${rate.count};w=${rate.periodMs / 1_000};burst=${rate.burst};comment="${kind}"`,
    });
    if (verdict.granted) return;
    const who = name.includes('/ip/') ? 'this address' : 'this key';
    throw new DomainError('RATE_LIMITED', `${who} may make ${shown(rate)} calls of the kind ${kind}; nothing was done`, { retryAfterSeconds: Math.max(1, Math.ceil(waitSeconds)), details: { kind, ...rate } });
  }
}

/** Whose calls count how. A route without a word of its own: reads by GET, admin by its scope, else orders. */
export function kindOf(route: LimitedRoute): CallKind {
  if (route.limit !== undefined) return route.limit;
  if (route.scope === 'admin') return 'admin';
  return route.method === 'get' ? 'reads' : 'orders';
}

/** Whether only its body tells if it gets out of the market. */
export function isExitByBody(route: LimitedRoute): boolean {
  return kindOf(route) === 'orders' && route.isExit !== true && route.takesAlerts !== true && route.schemas?.body !== undefined;
}

/** What gets out of the market must pass where what gets in is held back. */
function isExit(route: LimitedRoute, body: unknown): boolean {
  if (route.isExit === true) return true;
  const items = itemsOf(body);
  return items.length > 0 && items.every((item) => typeof item === 'object' && item !== null && 'reduceOnly' in item && item.reduceOnly === true);
}

function weightOf(route: LimitedRoute, body: unknown): number {
  return route.countsOrders === true ? Math.max(1, itemsOf(body).length) : 1;
}

/** The orders of a body, before any schema: a batch's, or the one it is. */
function itemsOf(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null) return [];
  return 'orders' in body && Array.isArray(body.orders) ? body.orders : [body];
}

function times(rate: CallRate, factor: number): CallRate {
  return { ...rate, count: rate.count * factor, burst: rate.burst * factor };
}

function shown({ count, periodMs, burst }: CallRate): string {
  return `${count} in ${periodMs / 1_000} s, ${burst} at once,`;
}

/** One household or server of IPv6 has a /64 of its own: its addresses are one. */
const IPV6_GROUPS = 8;
const IPV6_NETWORK_GROUPS = 4;

function addressOf(request: Request): string {
  return networkOf(request.ip ?? 'unknown');
}

/** The address, an IPv4 one as itself however it is written, an IPv6 one as its /64. */
export function networkOf(address: string): string {
  const bare = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined || !isIPv6(bare)) return mapped ?? bare;
  const [head = '', tail] = bare.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros: string[] = tail === undefined ? [] : Array<string>(Math.max(0, IPV6_GROUPS - first.length - last.length)).fill('0');
  return `${[...first, ...zeros, ...last].slice(0, IPV6_NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
