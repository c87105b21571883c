/**
 * The hub's protocol: one line of text each, a verb of one letter, then what it needs. JSON text holds no line feed, so a
 * publication is relayed as the bytes that came.
 *
 *   to the hub:  H <token>   S <id> <topic|prefix>   U <topic|prefix>   P <topic> <json>   T <id> <json>   B <id> <json>   Q <id>
 *   from it:     A           P <topic> <json>        R <id> <topic> <json>    V <id> <json>      E <id> <json>
 *
 * S is answered by an R for each newest value and a V; T asks for budget, B tells of a ban, Q asks whether the hub is there.
 */
import { MAX_MESSAGE_BYTES } from './bus';

/** A message, its topic and verb. */
export const MAX_LINE_BYTES = MAX_MESSAGE_BYTES + 1_024;

const LINE_FEED = 0x0a;

/** Cuts a byte stream into lines. */
export class LineReader {
  private rest: Buffer[] = [];
  private restBytes = 0;

  constructor(private readonly maxLineBytes: () => number) {}

  /** The lines completed by this chunk. Throws RangeError on a line that is too long: the connection is then given up. */
  *read(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const piece = chunk.subarray(start, end);
      this.check(this.restBytes + piece.length);
      const line = this.rest.length === 0 ? piece.toString('utf8') : Buffer.concat([...this.rest, piece]).toString('utf8');
      this.rest = [];
      this.restBytes = 0;
      start = end + 1;
      yield line;
    }
    if (start < chunk.length) {
      this.rest.push(chunk.subarray(start));
      this.restBytes += chunk.length - start;
      this.check(this.restBytes);
    }
  }

  private check(bytes: number): void {
    if (bytes > this.maxLineBytes()) throw new RangeError(`a line is longer than ${this.maxLineBytes()} bytes`);
  }
}

/** The first word and what follows it. */
export function firstWord(text: string): readonly [word: string, rest: string] {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}
