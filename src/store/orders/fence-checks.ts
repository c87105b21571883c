/**
 * Whether senders still hold the newest fence of their attempts. What is asked for in the same turn is one read: a group's
 * calls get their connections together. Each read begins after its question, so nobody is answered out of the past.
 */
import type { Queryable } from '../database/database';

interface Question {
  readonly attemptId: string;
  readonly fence: number;
  readonly resolve: (holds: boolean) => void;
  readonly reject: (error: unknown) => void;
}

const HELD_SQL = `
SELECT t.id, t.fence FROM attempts t JOIN unnest($1::text[], $2::int[]) AS q(id, fence) ON q.id = t.id AND q.fence = t.fence
 WHERE t.reported_at IS NULL AND t.superseded_at IS NULL`;

export class FenceChecks {
  private asked: Question[] = [];

  constructor(private readonly database: Queryable) {}

  holds(attemptId: string, fence: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.asked.push({ attemptId, fence, resolve, reject });
      if (this.asked.length === 1) setImmediate(() => void this.answer());
    });
  }

  private async answer(): Promise<void> {
    const questions = this.asked;
    this.asked = [];
    try {
      const rows = await this.database.rows<{ id: string; fence: number }>(HELD_SQL, questions.map(({ attemptId }) => attemptId), questions.map(({ fence }) => String(fence)));
      const held = new Set(rows.map(({ id, fence }) => nameOf(id, fence)));
      for (const { attemptId, fence, resolve } of questions) resolve(held.has(nameOf(attemptId, fence)));
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }
}

function nameOf(attemptId: string, fence: number): string {
  return `${attemptId} ${fence}`;
}
