/**
 * One entry of the route table: it mounts the route and describes it in the OpenAPI document, so that the two cannot
 * drift. A handler sees only what passed the schemas.
 */
import type { z } from 'zod';
import type { CallKind } from '../domain/call-rate';
import { DomainError, type ErrorCode } from '../domain/errors';
import { UNSTORABLE_TEXT, unstorableIn } from '../domain/storable-text';
import type { Reply } from './replies';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What a key must be allowed to. */
export type Scope = 'read' | 'trade' | 'admin';

/** What arrived, before any schema. */
export interface RawCall {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly userId: string;
  /** Who acts, for the audit log. */
  readonly actor: string;
  readonly requestId: string;
  /** The caller's IP address. */
  readonly address: string;
}

export interface Call<Params, Query, Body, Headers> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Headers;
  readonly userId: string;
  /** Who acts, for the audit log. */
  readonly actor: string;
  readonly requestId: string;
  /** The caller's IP address. */
  readonly address: string;
}

export interface RouteResponse {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Names of headers beyond X-Request-Id. */
  readonly headers?: readonly ('ETag' | 'Location')[];
}

interface RouteText {
  readonly method: Method;
  /** As the document writes it: /api/v1/orders/{id}. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** null: open to everyone. */
  readonly scope: Scope | null;
  /** The token in its path is the key, and its body comes as text, whatever its content type. */
  readonly takesAlerts?: boolean;
  /** Which limit a call counts against; absent: by method and scope (call-limits.ts). */
  readonly limit?: CallKind;
  /** Gets out of the market: may use what is kept for exits. */
  readonly isExit?: boolean;
  /** Each order of the body counts. */
  readonly countsOrders?: boolean;
  readonly responses: Readonly<Record<number, RouteResponse>>;
  /** Codes beyond those of every route; their statuses are documented. */
  readonly errors: readonly ErrorCode[];
}

export interface RouteSchemas {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
  /** False: a request without a body counts as {}. */
  readonly bodyRequired: boolean;
}

export interface Route extends RouteText {
  readonly schemas: RouteSchemas;
  /** Validates and handles. Throws DomainError VALIDATION with every issue named. */
  run(call: RawCall): Promise<Reply>;
}

interface RouteDefinition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, H extends z.ZodType> extends RouteText {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly headers?: H;
  readonly bodyRequired?: boolean;
  readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>, z.output<H>>) => Promise<Reply>;
}

type Nothing = z.ZodType<undefined>;

export function route<P extends z.ZodType = Nothing, Q extends z.ZodType = Nothing, B extends z.ZodType = Nothing, H extends z.ZodType = Nothing>(definition: RouteDefinition<P, Q, B, H>): Route {
  const { params, query, body, headers, bodyRequired, handle, ...text } = definition;
  const schemas: RouteSchemas = { params, query, body, headers, bodyRequired: bodyRequired ?? body !== undefined };
  return {
    ...text,
    schemas,
    async run(call) {
      const issues: Issue[] = [];
      const parsed = {
        params: parse(params, call.params, 'path', issues),
        query: parse(query, call.query, 'query', issues),
        headers: parse(headers, call.headers, 'header', issues),
        body: parse(body, call.body === undefined && !schemas.bodyRequired ? {} : call.body, 'body', issues),
      };
      if (issues.length === 0 && body !== undefined) issues.push(...unstorable(parsed.body));
      if (issues.length > 0) throw validationError(issues);
      // Every part passed its schema, or has none: what TypeScript cannot follow through the loop over optional schemas.
      const checked = parsed as { params: z.output<P>; query: z.output<Q>; body: z.output<B>; headers: z.output<H> };
      return handle({ ...checked, userId: call.userId, actor: call.actor, requestId: call.requestId, address: call.address });
    },
  };
}

interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Told at once; the rest would only repeat. */
const MAX_ISSUES = 20;

function parse(schema: z.ZodType | undefined, value: unknown, place: string, issues: Issue[]): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) issues.push({ path: [place, ...issue.path.map(String)].join('.'), message: issue.message });
  return undefined;
}

/** Whatever a schema takes of a text is kept sooner or later. */
function unstorable(body: unknown): Issue[] {
  const names = unstorableIn(body);
  return names === null ? [] : [{ path: ['body', ...names].join('.'), message: UNSTORABLE_TEXT }];
}

export function validationError(issues: readonly Issue[]): DomainError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new DomainError('VALIDATION', first === undefined ? 'the request is not valid' : `${first.path}: ${first.message}${more}`, { details: { issues: issues.slice(0, MAX_ISSUES) } });
}
