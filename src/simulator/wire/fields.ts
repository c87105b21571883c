import { Decimal, decimal, isPlainDecimal } from '../../domain/decimal';
import { PaperError } from '../errors';

/** Longest text taken for an id, a name or a code: keeps the journal's lines bounded. */
const MAX_TEXT_LENGTH = 128;

/** Reads the fields of a JSON object; every complaint names the field and what it should be. */
export class Fields {
  constructor(private readonly values: Readonly<Record<string, unknown>>) {}

  value(name: string): unknown {
    return this.values[name] ?? undefined;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw new PaperError('BAD_REQUEST', `${name} is required`);
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value.length === 0 || value.length > MAX_TEXT_LENGTH) {
      throw new PaperError('BAD_REQUEST', `${name} must be a text of 1 to ${MAX_TEXT_LENGTH} characters`);
    }
    return value;
  }

  integer(name: string, minimum: number): number {
    const value = this.optionalInteger(name, minimum);
    if (value === undefined) throw new PaperError('BAD_REQUEST', `${name} is required`);
    return value;
  }

  optionalInteger(name: string, minimum: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum) {
      throw new PaperError('BAD_REQUEST', `${name} must be an integer of at least ${minimum}`);
    }
    return value;
  }

  flag(name: string): boolean {
    const value = this.value(name);
    if (value === undefined) return false;
    if (typeof value !== 'boolean') throw new PaperError('BAD_REQUEST', `${name} must be true or false`);
    return value;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.value(name);
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new PaperError('BAD_REQUEST', `${name} must be one of ${allowed.join(', ')}`);
    return found;
  }

  decimal(name: string): Decimal {
    const value = this.value(name);
    if (typeof value !== 'string' || !isPlainDecimal(value)) {
      throw new PaperError('BAD_REQUEST', `${name} must be a decimal as a string, like "0.01"`);
    }
    return decimal(value);
  }

  positive(name: string): Decimal {
    const value = this.decimal(name);
    if (!value.greaterThan(0)) throw new PaperError('BAD_REQUEST', `${name} must be greater than 0`);
    return value;
  }

  optionalPositive(name: string): Decimal | undefined {
    return this.value(name) === undefined ? undefined : this.positive(name);
  }

  list(name: string): unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw new PaperError('BAD_REQUEST', `${name} must be a list`);
    return value;
  }
}

export function readFields(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PaperError('BAD_REQUEST', 'expected a JSON object');
  }
  return new Fields(body as Readonly<Record<string, unknown>>);
}
