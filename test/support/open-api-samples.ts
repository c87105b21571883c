/** Requests that an OpenAPI document would take: the smallest body of each operation, with the ids one wants in it. */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonObject;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly isOpen: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: JsonObject | null;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string; readonly security?: readonly unknown[]; readonly parameters: readonly Parameter[]; readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonObject }>> } }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonObject>> };
}

export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, parameters, requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      operationId,
      isOpen: security?.length === 0,
      parameters,
      body: requestBody?.content['application/json']?.schema ?? null,
    })),
  );
}

/** A value the schema takes: `named` by the field's name where it is given, else an example, a default, a word, the smallest. */
export function sample(document: Document, schema: JsonObject, named: Readonly<Record<string, string>>, name = ''): Json {
  const given = named[name];
  if (given !== undefined) return given;
  const resolved = resolve(document, schema);
  if (resolved.properties !== undefined) return sampleObject(document, resolved, named);
  const [example] = listOf(resolved.examples);
  if (example !== undefined) return example;
  if (resolved.default !== undefined) return resolved.default;
  if (resolved.const !== undefined) return resolved.const;
  const [word] = listOf(resolved.enum);
  if (word !== undefined) return word;
  const [variant] = [...listOf(resolved.oneOf), ...listOf(resolved.anyOf)];
  if (variant !== undefined) return sample(document, objectOf(variant), named);
  if (resolved.type === 'array') return [sample(document, objectOf(resolved.items), named)];
  if (resolved.type === 'integer' || resolved.type === 'number') return resolved.minimum ?? 1;
  if (resolved.type === 'boolean') return true;
  if (resolved.type === 'object') return {};
  return 'sample';
}

/** An object's own example with the named ids put in, or its required fields. */
function sampleObject(document: Document, schema: JsonObject, named: Readonly<Record<string, string>>): Json {
  const properties = objectOf(schema.properties);
  const [example] = listOf(schema.examples);
  const required = new Set(listOf(schema.required));
  const base = example === undefined ? {} : objectOf(example);
  const wanted = Object.keys(properties).filter((key) => key in base || required.has(key) || key in named);
  const fields = wanted.map((key): [string, Json] => [key, key in named ? (named[key] ?? '') : (base[key] ?? sample(document, objectOf(properties[key]), named, key))]);
  return Object.fromEntries(fields.map(([key, value]) => [key, Array.isArray(value) ? value.map((item: Json) => (isObject(item) ? withNames(item, named) : item)) : value]));
}

function withNames(item: JsonObject, named: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(item).map(([key, value]) => [key, named[key] ?? value]));
}

function resolve(document: Document, schema: JsonObject): JsonObject {
  const reference = schema.$ref;
  if (typeof reference !== 'string') return schema;
  const name = reference.split('/').at(-1) ?? '';
  const found = document.components.schemas[name];
  if (found === undefined) throw new Error(`the document has no schema ${name}`);
  return resolve(document, found);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
