/** Collateral moves in memory: what routes ask for, without a venue and workflows. */
import type { CollateralPort } from '../../src/api/collateral-port';
import { moveTermsOf, type CollateralMove, type MoveState } from '../../src/domain/collateral-move';
import { DomainError } from '../../src/domain/errors';

const AT = '2026-01-31T12:00:00.000Z';

export class FakeCollateral implements CollateralPort {
  readonly rows = new Map<string, CollateralMove>();
  /** What becomes of the next move. */
  ends: MoveState = 'APPLIED';
  private readonly keys = new Map<string, string>();

  async ofKey(userId: string, key: string): Promise<CollateralMove | null> {
    return this.rows.get(this.keys.get(`${userId}/${key}`) ?? '') ?? null;
  }

  begin: CollateralPort['begin'] = async (wish, key) => {
    const id = `00000000-0000-4000-9000-${String(this.rows.size + 1).padStart(12, '0')}`;
    const asked: CollateralMove = { ...wish, id, state: this.ends, reasonCode: null, reasonMessage: null, sends: 1, createdAt: AT, updatedAt: AT };
    const known = await this.ofKey(wish.userId, key);
    if (known === null) {
      this.rows.set(id, asked);
      this.keys.set(`${wish.userId}/${key}`, id);
      return asked;
    }
    if (moveTermsOf(known) !== moveTermsOf(asked)) throw new DomainError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for another move');
    return known;
  };

  async get(id: string, userId: string): Promise<CollateralMove | null> {
    const move = this.rows.get(id);
    return move?.userId === userId ? move : null;
  }

  list: CollateralPort['list'] = async ({ userId, accountId }) => ({ moves: [...this.rows.values()].filter((move) => move.userId === userId && (accountId === null || move.accountId === accountId)).reverse(), nextCursor: null });
}
