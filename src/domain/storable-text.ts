/** Texts that come from outside and are kept: PostgreSQL has no U+0000 in a text, and no half of a surrogate pair in JSON. */

/** With the flag u a surrogate pair is one character: what this finds stands alone. */
const UNSTORABLE = /[\u0000\ud800-\udfff]/u; // eslint-disable-line no-control-regex -- the character itself is meant

/** Said of a text that is none. */
export const UNSTORABLE_TEXT = 'holds a character that no text can: U+0000, or half of a surrogate pair';

export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

interface Place {
  readonly value: unknown;
  readonly name: string;
  readonly above: Place | null;
}

/** Where in a value of JSON the first text or name is that cannot be stored, as the names that lead there; null: all can. No recursion: a body may nest as deep as it is long. */
export function unstorableIn(value: unknown): readonly string[] | null {
  const open: Place[] = [{ value, name: '', above: null }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (typeof place.value === 'string' && !isStorable(place.value)) return namesTo(place);
    if (typeof place.value !== 'object' || place.value === null) continue;
    for (const [name, inner] of Object.entries(place.value)) {
      if (!isStorable(name)) return namesTo(place);
      open.push({ value: inner, name, above: place });
    }
  }
  return null;
}

function namesTo(place: Place): string[] {
  const names: string[] = [];
  for (let at: Place = place; at.above !== null; at = at.above) names.unshift(at.name);
  return names;
}
