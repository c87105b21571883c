/** What in a newer OpenAPI document would break a client of an older one. */

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** What a client sends is checked the other way round from what it receives. */
type Direction = 'sent' | 'received';

/** Deeper than any schema of ours; a longer path is a reference that leads in circles. */
const MAX_DEPTH = 30;

/** One line for each break; none for a document that every client of the older one can live with. */
export function breaks(older: unknown, newer: unknown): string[] {
  const [before, after] = [objectOf(older as Json), objectOf(newer as Json)];
  return Object.entries(objectOf(before.paths)).flatMap(([path, methods]) =>
    Object.entries(objectOf(methods)).flatMap(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`;
      const now = objectOf(objectOf(after.paths)[path])[method];
      if (now === undefined) return [`${name} is gone`];
      return new Comparison(before, after).operation(name, objectOf(operation), objectOf(now));
    }),
  );
}

class Comparison {
  constructor(
    private readonly before: JsonObject,
    private readonly after: JsonObject,
  ) {}

  operation(name: string, before: JsonObject, after: JsonObject): string[] {
    return [...this.parameters(name, before, after), ...this.bodies(name, before, after), ...this.answers(name, before, after)];
  }

  private parameters(name: string, before: JsonObject, after: JsonObject): string[] {
    const byName = (operation: JsonObject): Map<string, JsonObject> => new Map(listOf(operation.parameters).map((each) => [`${text(objectOf(each).in)} parameter ${text(objectOf(each).name)}`, objectOf(each)]));
    const [old, now] = [byName(before), byName(after)];
    const gone = [...old].flatMap(([key, parameter]) => {
      const successor = now.get(key);
      // The API refuses what it does not know.
      if (successor === undefined) return [`${name}: ${key} is gone`];
      const required = successor.required === true && parameter.required !== true ? [`${name}: ${key} is required now`] : [];
      return [...required, ...this.schema(`${name}: ${key}`, parameter.schema, successor.schema, 'sent')];
    });
    const demanded = [...now].filter(([key, parameter]) => parameter.required === true && !old.has(key)).map(([key]) => `${name}: ${key} is new and required`);
    return [...gone, ...demanded];
  }

  private bodies(name: string, before: JsonObject, after: JsonObject): string[] {
    const [old, now] = [objectOf(before.requestBody), objectOf(after.requestBody)];
    if (now.required === true && old.required !== true) return [`${name}: a body is required now`];
    if (old.content === undefined) return [];
    if (now.content === undefined) return [`${name}: takes no body any more`];
    return this.schema(`${name}: body`, schemaOf(old), schemaOf(now), 'sent');
  }

  private answers(name: string, before: JsonObject, after: JsonObject): string[] {
    return Object.entries(objectOf(before.responses)).flatMap(([status, answer]) => {
      const now = objectOf(after.responses)[status];
      // An error that no longer happens breaks nobody.
      if (now === undefined) return status.startsWith('2') ? [`${name}: no longer answers ${status}`] : [];
      const headers = Object.keys(objectOf(objectOf(answer).headers)).filter((header) => objectOf(objectOf(now).headers)[header] === undefined).map((header) => `${name}: ${status} lost its header ${header}`);
      return [...headers, ...this.schema(`${name}: ${status}`, schemaOf(objectOf(answer)), schemaOf(objectOf(now)), 'received')];
    });
  }

  private schema(at: string, older: Json | undefined, newer: Json | undefined, direction: Direction, depth = 0): string[] {
    if (depth > MAX_DEPTH) return [];
    const [old, now] = [resolved(this.before, older), resolved(this.after, newer)];
    return [
      ...this.words(at, old, now, direction),
      ...bounds(at, old, now, direction),
      ...this.fields(at, old, now, direction, depth),
      ...(old.items === undefined ? [] : this.schema(`${at}[]`, old.items, now.items, direction, depth + 1)),
      ...this.variants(at, old, now, direction, depth),
    ];
  }

  private words(at: string, old: JsonObject, now: JsonObject, direction: Direction): string[] {
    const [before, after] = [kindsOf(old), kindsOf(now)];
    const lost = before.filter((kind) => after.length > 0 && !after.includes(kind));
    const won = direction === 'received' ? after.filter((kind) => before.length > 0 && !before.includes(kind)) : [];
    const values = listOf(old.enum).filter((value) => now.enum !== undefined && !listOf(now.enum).includes(value));
    const narrowed = direction === 'sent' && old.enum === undefined && now.enum !== undefined ? [`${at} takes only ${JSON.stringify(now.enum)} now`] : [];
    return [...lost.map((kind) => `${at} is no longer ${kind}`), ...won.map((kind) => `${at} may be ${kind} now`), ...values.map((value) => `${at} lost the value ${JSON.stringify(value)}`), ...narrowed];
  }

  private fields(at: string, old: JsonObject, now: JsonObject, direction: Direction, depth: number): string[] {
    const [before, after] = [objectOf(old.properties), objectOf(now.properties)];
    const [neededBefore, neededNow] = [listOf(old.required), listOf(now.required)];
    const kept = Object.entries(before).flatMap(([field, schema]) => (after[field] === undefined ? (now.properties === undefined ? [] : [`${at}.${field} is gone`]) : this.schema(`${at}.${field}`, schema, after[field], direction, depth + 1)));
    const changed = direction === 'sent' ? neededNow.filter((field) => !neededBefore.includes(field)).map((field) => `${at}.${text(field)} is required now`) : neededBefore.filter((field) => !neededNow.includes(field) && after[text(field)] !== undefined).map((field) => `${at}.${text(field)} may be absent now`);
    return [...kept, ...changed];
  }

  /** Variants keep their places; a new one is welcome at the end of what is sent. */
  private variants(at: string, old: JsonObject, now: JsonObject, direction: Direction, depth: number): string[] {
    const [before, after] = [variantsOf(old), variantsOf(now)];
    const lost = before.length > after.length && after.length > 0 ? [`${at} lost a variant`] : [];
    const won = direction === 'received' && before.length > 0 && after.length > before.length ? [`${at} has a variant more`] : [];
    return [...lost, ...won, ...before.slice(0, after.length).flatMap((variant, index) => this.schema(`${at}|${index}`, variant, after[index], direction, depth + 1))];
  }
}

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'] as const;
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'] as const;

/** Narrower bounds refuse what was taken; a client lives with any that it receives. */
function bounds(at: string, old: JsonObject, now: JsonObject, direction: Direction): string[] {
  if (direction === 'received') return [];
  const raised = LOWER.filter((bound) => Number(now[bound] ?? -Infinity) > Number(old[bound] ?? -Infinity)).map((bound) => `${at}: ${bound} was raised to ${text(now[bound])}`);
  const lowered = UPPER.filter((bound) => Number(now[bound] ?? Infinity) < Number(old[bound] ?? Infinity)).map((bound) => `${at}: ${bound} was lowered to ${text(now[bound])}`);
  const pattern = now.pattern !== undefined && now.pattern !== old.pattern ? [`${at}: its pattern changed`] : [];
  return [...raised, ...lowered, ...pattern];
}

function resolved(document: JsonObject, schema: Json | undefined): JsonObject {
  const own = objectOf(schema);
  const reference = own.$ref;
  if (typeof reference !== 'string') return own;
  return resolved(document, objectOf(objectOf(document.components).schemas)[reference.split('/').at(-1) ?? '']);
}

function schemaOf(holder: JsonObject): Json | undefined {
  const [media] = Object.values(objectOf(holder.content));
  return objectOf(media).schema;
}

function variantsOf(schema: JsonObject): readonly Json[] {
  return [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
}

function kindsOf({ type }: JsonObject): string[] {
  return type === undefined ? [] : Array.isArray(type) ? type.map(text) : [text(type)];
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
