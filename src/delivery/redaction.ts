/**
 * What an endpoint answered is kept for its owner to read, without what looks like a secret: pages of errors print requests. Every repetition has a
 * bound: without one, an answer that is made for it takes a third of a second of the process, and every delivery waits.
 */

const MASK = '[redacted]';

export const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/whsec_[A-Za-z0-9+/=]{8,128}/g, MASK],
  [/\bsf_[A-Za-z0-9]{8,128}/g, MASK],
  [/\b(Bearer|Basic)\s{1,8}[A-Za-z0-9._~+/=-]{6,8192}/gi, `$1 ${MASK}`],
  // A whole token: the rest of one whose parts are longer goes with what follows.
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,2048}\.[A-Za-z0-9_-]{6,4096}\.[A-Za-z0-9_-]{0,1024}/g, MASK],
  [/\bv1,[A-Za-z0-9+/=]{20,128}/g, `v1,${MASK}`],
  [/\bsha256=[0-9a-f]{32,128}/gi, `sha256=${MASK}`],
  [/("?\b(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|cookie|set-cookie)\b"?\s{0,8}[:=]\s{0,8})("(?:[^"\\]|\\.){0,8192}"|[^\s,;&}<]{1,8192})/gi, `$1${MASK}`],
  // An address: 64 characters, and as long a domain as one may be asked for.
  [/(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}/g, MASK],
  // What PostgreSQL cannot store in text.
  // eslint-disable-next-line no-control-regex -- the character itself is meant
  [/\u0000/g, ''],
];

export function redacted(text: string): string {
  return PATTERNS.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), text);
}
