/**
 * What a strategy may be told, in plain data: one description gives the TypeScript type of its parameters, the zod schema at the
 * boundary (schemas/strategies.ts) and the JSON schema that a user interface makes a form of. No zod here: workflows read it.
 */

interface FieldText {
  readonly title: string;
  readonly description: string;
}

/** `fallback` absent: required; null: may be left out; a value: that is meant where it is left out. */
export interface IntegerField extends FieldText {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
  readonly fallback?: number | null;
}

/** Above zero unless `zero` is allowed. */
export interface DecimalField extends FieldText {
  readonly kind: 'decimal';
  readonly zero?: boolean;
  /** Largest value, where there is one. */
  readonly max?: string;
  readonly fallback?: string | null;
}

export interface ChoiceField extends FieldText {
  readonly kind: 'choice';
  readonly options: readonly string[];
  readonly fallback?: string | null;
}

export type Field = IntegerField | DecimalField | ChoiceField;
export type Form = Readonly<Record<string, Field>>;

type ValueOf<F extends Field> = F extends { readonly kind: 'integer' } ? number : F extends { readonly kind: 'choice'; readonly options: readonly (infer Option)[] } ? Option : string;

/** A strategy's parameters, every default filled in. */
export type ParametersOf<F extends Form> = { readonly [Name in keyof F]: F[Name] extends { readonly fallback: null } ? ValueOf<F[Name]> | null : ValueOf<F[Name]> };

/** As they are stored and as they travel. */
export type Parameters = Readonly<Record<string, string | number | null>>;

/** Longest a strategy may take: a week keeps it well inside any retention of its history. */
export const MAX_DURATION_MS = 7 * 24 * 60 * 60_000;

/** The JSON schema of a form (2020-12), for user interfaces. */
export function jsonSchemaOf(form: Form): Readonly<Record<string, unknown>> {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.entries(form).flatMap(([name, field]) => (field.fallback === undefined ? [name] : [])),
    properties: Object.fromEntries(Object.entries(form).map(([name, field]) => [name, propertyOf(field)])),
  };
}

function propertyOf(field: Field): Readonly<Record<string, unknown>> {
  const { title, description, fallback } = field;
  const text = { title, description, ...(fallback === undefined || fallback === null ? {} : { default: fallback }) };
  switch (field.kind) {
    case 'integer':
      return { ...text, type: 'integer', minimum: field.min, maximum: field.max };
    case 'decimal':
      return { ...text, type: 'string', format: 'decimal', pattern: '^\\d{1,20}(\\.\\d{1,20})?$', ...(field.zero === true ? {} : { 'x-above': '0' }), ...(field.max === undefined ? {} : { 'x-maximum': field.max }) };
    case 'choice':
      return { ...text, type: 'string', enum: field.options };
  }
}

/** Every field that was left out gets what it means. The rest passed the boundary's schema. */
export function withFallbacks(form: Form, given: Readonly<Record<string, string | number | null | undefined>>): Parameters {
  return Object.fromEntries(Object.entries(form).map(([name, field]) => [name, given[name] ?? field.fallback ?? null]));
}
