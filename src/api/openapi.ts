/** The OpenAPI document, assembled from the table that also mounts the routes. */
import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from '../domain/errors';
import { errorBodySchema } from '../schemas/errors';
import type { Route } from './route';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Errors that any route with a key may answer. */
const EVERY_ROUTE: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL'];

const HEADER_NAMES: Readonly<Record<string, string>> = { 'idempotency-key': 'Idempotency-Key', 'if-match': 'If-Match' };

const HEADER_TEXTS: Readonly<Record<string, string>> = {
  'X-Request-Id': 'Names the request in the logs; the one you sent, if it is 1 to 128 characters out of A-Z a-z 0-9 . _ -',
  ETag: 'The order\'s revision; send it as If-Match to amend.',
  Location: 'Where the order is read.',
  'Retry-After': 'Seconds to wait before the same request.',
  'RateLimit-Limit': 'Calls of this kind that may come at once.',
  'RateLimit-Remaining': 'How many of them are left.',
  'RateLimit-Reset': 'Seconds until they are all back, or, with a 429, until the next may come.',
  'RateLimit-Policy': 'Calls, seconds, burst and kind of the limit.',
};

const INTEGER_HEADERS: ReadonlySet<string> = new Set(['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset']);
/** Of every answer to a call that is limited; the limit may be switched off. */
const LIMIT_HEADERS = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'RateLimit-Policy'];

/** An alert's text is its sender's. */
const ALERT_CONTENT: Json = { 'text/plain': { schema: { type: 'string', minLength: 1 } }, 'application/json': { schema: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } } } };

export interface DocumentOptions {
  readonly version: string;
}

export function openApiDocument(routes: readonly Route[], options: DocumentOptions): JsonObject {
  const components = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const entry of routes) (paths[entry.path] ??= {})[entry.method] = operation(entry, components);
  components.inline(errorBodySchema, 'output');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Surefill',
      version: options.version,
      description: 'One API before many venues. Orders are durable: repeat a request with the same ids until it is answered, nothing is done twice. Decimals are strings.',
    },
    servers: [{ url: '/', description: 'This server.' }],
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map((entry) => entry.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An API key. The owner\'s is in the file that the first start names.' } },
      headers: Object.fromEntries(Object.entries(HEADER_TEXTS).map(([name, description]) => [name, { description, schema: { type: INTEGER_HEADERS.has(name) ? 'integer' : 'string' } }])),
      schemas: components.schemas,
    },
  };
}

function operation(entry: Route, components: Components): Json {
  const errors = new Set<ErrorCode>([...entry.errors, ...(entry.scope === null ? [] : EVERY_ROUTE)]);
  const { params, query, headers, body } = entry.schemas;
  if (params ?? query ?? headers ?? body) errors.add('VALIDATION');
  if (body !== undefined) errors.add('PAYLOAD_TOO_LARGE');
  return {
    operationId: entry.operationId,
    tags: [entry.tag],
    summary: entry.summary,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.scope === null ? { security: [] } : {}),
    parameters: [...parameters('path', params, components), ...parameters('query', query, components), ...parameters('header', headers, components)],
    ...(body === undefined ? {} : { requestBody: { required: entry.schemas.bodyRequired, content: entry.takesAlerts === true ? ALERT_CONTENT : { 'application/json': { schema: components.inline(body, 'input') } } } }),
    responses: { ...successes(entry, components), ...failures([...errors]) },
  };
}

function parameters(place: 'path' | 'query' | 'header', schema: z.ZodType | undefined, components: Components): Json[] {
  if (schema === undefined) return [];
  const shape = components.inline(schema, 'input');
  const required = new Set(Array.isArray(shape.required) ? shape.required.map(String) : []);
  return Object.entries(objectOf(shape.properties)).map(([name, field]) => {
    const { description, parameter, ...rest } = objectOf(field);
    return {
      name: HEADER_NAMES[name] ?? name,
      in: place,
      required: place === 'path' || required.has(name),
      ...(typeof description === 'string' ? { description } : {}),
      // A value that is parsed out of text is documented as what it means.
      schema: parameter ?? rest,
      ...(objectOf(parameter ?? null).type === 'array' ? { style: 'form', explode: false } : {}),
    };
  });
}

function successes({ responses, scope, takesAlerts }: Pick<Route, 'responses' | 'scope' | 'takesAlerts'>, components: Components): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]): [string, Json] => {
      const headers = ['X-Request-Id', ...(scope === null && takesAlerts !== true ? [] : LIMIT_HEADERS), ...(response.headers ?? [])];
      const content: Json = isText(response.schema) ? { 'text/plain': { schema: { type: 'string' } } } : { 'application/json': { schema: components.inline(response.schema, 'output') } };
      return [status, { description: response.description, headers: headerReferences(headers), content }];
    }),
  );
}

function failures(codes: readonly ErrorCode[]): Record<string, Json> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(ERROR_CATALOGUE[code].status, [...(byStatus.get(ERROR_CATALOGUE[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const headers = ['X-Request-Id', ...(status === 429 ? LIMIT_HEADERS : []), ...(status === 429 || status === 503 ? ['Retry-After'] : [])];
      const description = group.map((code) => `\`${code}\`: ${ERROR_CATALOGUE[code].advice}`).join('\n\n');
      return [String(status), { description, headers: headerReferences(headers), content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } }];
    }),
  );
}

function headerReferences(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function isText(schema: z.ZodType): boolean {
  return schema instanceof z.ZodString;
}

/** Collects every schema that has an id; the same id from two schemas is a mistake. */
class Components {
  readonly schemas: Record<string, Json> = {};
  private readonly texts = new Map<string, string>();

  /** The schema in JSON Schema: a reference where it has an id. */
  inline(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $schema: _dialect, $defs, ...rest } = objectOf(z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) as Json);
    for (const [id, definition] of Object.entries(objectOf($defs ?? null))) this.add(id, relinked(definition));
    return objectOf(relinked(rest));
  }

  private add(id: string, definition: Json): void {
    const text = JSON.stringify(definition);
    const known = this.texts.get(id);
    if (known !== undefined && known !== text) throw new Error(`two different schemas are called ${id}`);
    this.texts.set(id, text);
    this.schemas[id] = definition;
  }
}

/**
 * `#/$defs/X` of a schema on its own is `#/components/schemas/X` of the document. A date-time is named by its format alone: zod's pattern
 * says the same at length, and who makes requests from the document would have to satisfy both.
 */
function relinked(value: Json): Json {
  if (Array.isArray(value)) return value.map(relinked);
  if (typeof value !== 'object' || value === null) return value;
  const { pattern: _sameAsFormat, ...named } = value as JsonObject;
  return Object.fromEntries(
    Object.entries('format' in value && value.format === 'date-time' ? named : value).map(([key, item]) => [key, key === '$ref' && typeof item === 'string' ? item.replace('#/$defs/', '#/components/schemas/') : relinked(item)]),
  );
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
