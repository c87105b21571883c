/** A recording's text, gzipped or plain, piece by piece: memory does not grow with its length. */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Longest line (or trade of an array) taken: a snapshot of 1,000 levels is about 50 KB. */
const MAX_PIECE_LENGTH = 1024 * 1024;
/** Enough for a header line, or for what a line begins with. */
const HEAD_LENGTH = 1_024;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** The beginning of the text, for telling formats apart. Throws when the file cannot be read. */
export async function headOf(path: string): Promise<string> {
  let head = '';
  for await (const chunk of chunksOf(path)) {
    head += chunk;
    if (head.trimStart().length >= HEAD_LENGTH) break;
  }
  return head.trimStart().slice(0, HEAD_LENGTH);
}

/** Lines with their numbers, empty ones left out. Throws with the file's name when it is damaged. */
export async function* linesOf(path: string): AsyncGenerator<{ line: string; where: string }, void> {
  let number = 0;
  for await (const { piece } of piecesOf(path, '\n')) {
    number += 1;
    const line = piece.trim();
    if (line !== '') yield { line, where: `${path} line ${number}` };
  }
}

/** Texts that end with `end` (left out), and the rest after the last of them. */
export async function* piecesOf(path: string, end: string): AsyncGenerator<{ piece: string; isLast: boolean }, void> {
  let rest = '';
  for await (const chunk of chunksOf(path)) {
    const pieces = (rest + chunk).split(end);
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield { piece, isLast: false };
    if (rest.length > MAX_PIECE_LENGTH) throw new Error(`${path} has a line longer than ${MAX_PIECE_LENGTH} characters: not a recording`);
  }
  yield { piece: rest, isLast: true };
}

async function* chunksOf(path: string): AsyncGenerator<string, void> {
  let file: Readable | null = null;
  let text: Readable | null = null;
  try {
    const gzipped = isGzip(path);
    file = createReadStream(path);
    // Errors of the file reach the reader through the stream it reads; the callback only keeps them from being thrown twice.
    text = gzipped ? pipeline(file, createGunzip(), () => undefined) : file;
    text.setEncoding('utf8');
    for await (const chunk of text as AsyncIterable<string>) yield chunk;
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  } finally {
    text?.destroy();
    file?.destroy();
  }
}

function isGzip(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(GZIP_MAGIC.length);
    return readSync(file, magic) === magic.length && magic.equals(GZIP_MAGIC);
  } finally {
    closeSync(file);
  }
}
