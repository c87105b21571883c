/** What an endpoint answered is kept for its owner to read, without what looks like a secret: pages of errors print requests. */

const MASK = '[redacted]';

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/whsec_[A-Za-z0-9+/=]{8,}/g, MASK],
  [/\bsf_[A-Za-z0-9]{8,}/g, MASK],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${MASK}`],
  [/\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*/g, MASK],
  [/\bv1,[A-Za-z0-9+/=]{20,}/g, `v1,${MASK}`],
  [/\bsha256=[0-9a-f]{32,}/gi, `sha256=${MASK}`],
  [/("?\b(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|cookie|set-cookie)\b"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s,;&}<]+)/gi, `$1${MASK}`],
  [/[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}/g, MASK],
  // What PostgreSQL cannot store in text.
  // eslint-disable-next-line no-control-regex -- the character itself is meant
  [/\u0000/g, ''],
];

export function redacted(text: string): string {
  return PATTERNS.reduce((rest, [pattern, mask]) => rest.replace(pattern, mask), text);
}
