/** Wires collateral moves: what the API and the workers need of them. */
import { createHash } from 'node:crypto';
import { createCollateralMoveActivities, type CollateralMoveActivities } from '../activities/collateral-move-activities';
import { CollateralMover } from '../activities/collateral-mover';
import type { CollateralPort } from '../api/collateral-port';
import { isoTime } from '../domain/clock';
import { moveTermsOf, type CollateralMove } from '../domain/collateral-move';
import { DomainError } from '../domain/errors';
import { CollateralGateway } from '../temporal/collateral-gateway';
import type { Platform } from './platform';

/** Of a worker. */
export function collateralActivities({ store, venues, clock }: Platform): CollateralMoveActivities {
  return createCollateralMoveActivities(new CollateralMover({ clock, venues, moves: store.collateralMoves, credentials: (accountId) => store.accounts.credentials(accountId) }));
}

/** Of the API. */
export function collateralPort({ store, temporal, clock }: Platform): CollateralPort {
  const { collateralMoves } = store;
  const gateway = new CollateralGateway(temporal.client);
  return {
    ofKey: (userId, key) => collateralMoves.get(moveIdOf(userId, key), userId),
    get: (id, userId) => collateralMoves.get(id, userId),
    list: (query) => collateralMoves.list(query),
    begin: async (wish, key) => {
      const at = isoTime(clock.nowMs());
      const asked: CollateralMove = { ...wish, id: moveIdOf(wish.userId, key), state: 'SENDING', reasonCode: null, reasonMessage: null, sends: 0, createdAt: at, updatedAt: at };
      const known = await collateralMoves.get(asked.id, wish.userId);
      if (known !== null) return same(known, asked);
      if (await gateway.wasRecorded(asked.id)) {
        // Another request of this key may have been recorded since its row was looked for.
        const since = await collateralMoves.get(asked.id, wish.userId);
        if (since !== null) return same(since, asked);
        throw new DomainError('CONFLICT', 'a move with this Idempotency-Key was made before the database was restored, and is lost with it: look at the balances; another key makes another move', { details: { moveId: asked.id } });
      }
      const { refused } = await gateway.begin(asked);
      if (refused !== null) throw new DomainError(refused.code, refused.message, { details: refused.details });
      const made = await collateralMoves.get(asked.id, wish.userId);
      if (made === null) throw new DomainError('SERVICE_UNAVAILABLE', 'the move is not recorded yet', { outcome: 'unknown', retryAfterSeconds: 1 });
      // Of two requests with one key the other may have been first.
      return same(made, asked);
    },
  };
}

function same(known: CollateralMove, asked: CollateralMove): CollateralMove {
  if (moveTermsOf(known) !== moveTermsOf(asked)) throw new DomainError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for another move', { details: { moveId: known.id } });
  return known;
}

/** A function of user and key, so that a repeated request is the same move. In the shape of a UUID, as every id we give. */
function moveIdOf(userId: string, key: string): string {
  const digits = createHash('sha256').update(`collateral-move\n${userId}\n${key}`).digest('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
