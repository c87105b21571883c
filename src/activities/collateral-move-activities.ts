/** The activities of collateral moves: what they do is in collateral-mover.ts. */
import { Context } from '@temporalio/activity';
import type { CollateralMove, MoveReply, MoveState } from '../domain/collateral-move';
import type { CollateralMover } from './collateral-mover';

export interface CollateralMoveActivities {
  recordMove(input: { readonly move: CollateralMove; readonly recordBeforeMs: number }): Promise<MoveReply>;
  pursueMove(input: { readonly moveId: string }): Promise<MoveState>;
}

export function createCollateralMoveActivities(mover: CollateralMover): CollateralMoveActivities {
  return {
    recordMove: ({ move, recordBeforeMs }) => mover.record(move, recordBeforeMs, Context.current().cancellationSignal),
    pursueMove: ({ moveId }) => mover.pursue(moveId, Context.current().cancellationSignal),
  };
}
