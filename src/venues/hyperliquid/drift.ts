/**
 * What the venue says that its adapter does not know: a field, a word, a shape. It is told (metric, log, alert) and stops
 * nothing. Schemas name what is read; `alsoSent` names what is known to come besides, so that only the new is told.
 */
import { z } from 'zod';

/** Tells of a field or word the adapter does not know; `news` is false for what was told a while ago already. */
export type OnDrift = (what: string, news: boolean) => void;

/** The same words are news again after this: an operator who missed them hears of them, and no log is flooded. */
const NEWS_AGAIN_MS = 60 * 60_000;
/** A venue that changed everything tells no more kinds than this apart. */
const MAX_KINDS = 500;

export class DriftNotes {
  private readonly toldAtMs = new Map<string, number>();

  constructor(private readonly nowMs: () => number) {}

  /** True when this was not told within the last hour. */
  isNews(what: string): boolean {
    const nowMs = this.nowMs();
    const toldAtMs = this.toldAtMs.get(what);
    if (toldAtMs !== undefined && nowMs - toldAtMs < NEWS_AGAIN_MS) return false;
    if (toldAtMs === undefined && this.toldAtMs.size >= MAX_KINDS) return false;
    this.toldAtMs.set(what, nowMs);
    return true;
  }
}

const ALSO_SENT = new WeakMap<object, ReadonlySet<string>>();

/** An object of which `shape` is read and `alsoSent` is known to come besides. */
export function message<Shape extends z.ZodRawShape>(shape: Shape, alsoSent: readonly string[] = []) {
  const schema = z.object(shape);
  ALSO_SENT.set(schema, new Set(alsoSent));
  return schema;
}

/** Paths of the fields in `value` that `schema` does not know, each once; list places are not told apart. */
export function unknownFields(schema: z.ZodType, value: unknown): string[] {
  const found = new Set<string>();
  walk(schema, value, '', found);
  return [...found];
}

function walk(schema: z.ZodType, value: unknown, path: string, found: Set<string>): void {
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) return walk(schema.unwrap() as z.ZodType, value, path, found);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    for (const item of value) walk(schema.element as z.ZodType, item, path, found);
  } else if (schema instanceof z.ZodTuple && Array.isArray(value)) {
    (schema.def.items as z.ZodType[]).forEach((item, index) => walk(item, value[index], path, found));
  } else if (schema instanceof z.ZodUnion) {
    const option = (schema.options as z.ZodType[]).find((candidate) => candidate.safeParse(value).success);
    if (option !== undefined) walk(option, value, path, found);
  } else if (schema instanceof z.ZodObject && typeof value === 'object' && value !== null) {
    const shape = schema.shape as Readonly<Record<string, z.ZodType>>;
    const alsoSent = ALSO_SENT.get(schema);
    for (const [key, item] of Object.entries(value)) {
      const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
      if (known !== undefined) walk(known, item, `${path}.${key}`, found);
      else if (alsoSent?.has(key) !== true) found.add(`${path}.${key}`.slice(1, MAX_PATH));
    }
  }
}

/** A path is told to people; one made of the venue's own long keys is cut. */
const MAX_PATH = 120;
