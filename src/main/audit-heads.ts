/**
 * The heads of the audit chains, outside the database: one line of `$SUREFILL_HOME/audit-head` for each administrative act,
 * and one of the log. Whoever rewrites the database's audit log cannot make it agree with them again.
 */
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import type { AuditFault, AuditHead } from '../domain/audit';
import type { Logger } from './logger';

const FILE_NAME = 'audit-head';
const OWN_FILE = 0o600;
const LINE = /^(\d{1,15}) ([0-9a-f]{64}) (\S{1,128})$/;

export class AuditHeads {
  readonly file: string;

  constructor(
    home: string,
    private readonly log: Pick<Logger, 'info' | 'error'>,
  ) {
    this.file = path.join(home, FILE_NAME);
  }

  /**
   * Called after the act's commit. One append of one short line, so that processes that share the home never mix theirs. A
   * file that cannot be written is an error of the log, which has the head all the same; the next start writes the newest.
   */
  readonly keep = (head: AuditHead): void => {
    const { userId, number, hash } = head;
    this.log.info({ audit: { userId, number, hash } }, 'audit head');
    try {
      appendFileSync(this.file, `${this.cutOff() ? '\n' : ''}${number} ${hash} ${userId}\n`, { mode: OWN_FILE });
    } catch (error) {
      this.log.error({ err: error, file: this.file, audit: { userId, number, hash } }, 'the audit head could not be written to its file');
    }
  };

  /** What is written down, in the order it was. A line that is no head is named by its number in `unreadable`. */
  read(): { readonly heads: readonly AuditHead[]; readonly unreadable: readonly number[] } {
    const heads: AuditHead[] = [];
    const unreadable: number[] = [];
    const text = existsSync(this.file) ? readFileSync(this.file, 'utf8') : '';
    text.split('\n').forEach((line, index) => {
      const [, number, hash, userId] = LINE.exec(line) ?? [];
      if (number !== undefined && hash !== undefined && userId !== undefined) heads.push({ userId, number: Number(number), hash });
      else if (line !== '') unreadable.push(index + 1);
    });
    return { heads, unreadable };
  }

  /**
   * On start: what a crash between a commit and its line left out is written now, and a database that knows less than the
   * file, or something else, is an error of the log. The file is read first: what it has, the database must have by then.
   */
  async catchUp(readPresent: () => Promise<readonly AuditHead[]>): Promise<void> {
    const written = this.read().heads;
    const present = await readPresent();
    for (const head of present) {
      const own = written.filter((each) => each.userId === head.userId);
      const newest = own.reduce((number, each) => Math.max(number, each.number), 0);
      if (head.number > newest) this.keep(head);
      else if (head.number < newest) this.alarm({ userId: head.userId, number: head.number + 1, problem: 'is missing' });
      else if (own.some((each) => each.number === head.number && each.hash !== head.hash)) this.alarm({ userId: head.userId, number: head.number, problem: 'was replaced' });
    }
    for (const userId of new Set(written.map((each) => each.userId))) {
      if (!present.some((head) => head.userId === userId)) this.alarm({ userId, number: 1, problem: 'is missing' });
    }
  }

  /** A full disk takes part of a line: the next one is not to be lost in it. */
  private cutOff(): boolean {
    if (!existsSync(this.file)) return false;
    const file = openSync(this.file, 'r');
    try {
      const last = Buffer.alloc(1);
      return readSync(file, last, 0, 1, fstatSync(file).size - 1) === 1 && last.toString() !== '\n';
    } finally {
      closeSync(file);
    }
  }

  private alarm(fault: AuditFault): void {
    this.log.error({ audit: fault, file: this.file }, 'the audit log and the heads outside it do not agree: run npm run audit:check');
  }
}
