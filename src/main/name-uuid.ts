/** Ids that are functions of what they name, so that a repeated request is the same thing. In the shape of a UUID, as every id we give. */
import { createHash } from 'node:crypto';

export function nameUuid(name: string): string {
  const digits = createHash('sha256').update(name).digest('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
