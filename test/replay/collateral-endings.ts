/** The endings of collateral moves. */
import type { Client } from '@temporalio/client';
import type { MoveState } from '../../src/domain/collateral-move';
import { CollateralGateway } from '../../src/temporal/collateral-gateway';
import { collateralMoveWorkflowId } from '../../src/temporal/workflow-ids';
import { moveSample } from '../unit/domain/move-samples';
import { continued, ended, type Ending } from './executions';
import type { Script } from './scripted-activities';

const MOVE = moveSample();
const WORKFLOW_ID = collateralMoveWorkflowId(MOVE.id);
const recorded = { recordMove: [{ state: 'SENDING', refused: null }] } as const;

function ending(name: string, script: Script, act: (client: Client) => Promise<string | void> = async () => undefined): Ending {
  return {
    workflow: 'collateralMove',
    ending: name,
    script,
    run: async (client) => {
      await new CollateralGateway(client).begin(MOVE);
      const id = await act(client);
      if (typeof id === 'string') return id;
      await ended(client.workflow.getHandle(WORKFLOW_ID));
      return WORKFLOW_ID;
    },
  };
}

const pursued = (name: string, ...states: readonly MoveState[]): Ending => ending(name, { ...recorded, pursueMove: states });

export const COLLATERAL_ENDINGS: readonly Ending[] = [
  pursued('applied', 'APPLIED'),
  pursued('refused', 'REFUSED'),
  pursued('applied-after-a-lost-answer', 'UNKNOWN', 'UNKNOWN', 'APPLIED'),
  pursued('unresolved', 'UNKNOWN', 'UNRESOLVED'),
  ending('never-recorded', { recordMove: [{ state: 'SENDING', refused: { code: 'VENUE_REJECTED', message: 'no isolated position', details: {} } }] }),
  ending('recorded-before', { recordMove: [{ state: 'APPLIED', refused: null }] }),
  ending('continued-as-new', { ...recorded, pursueMove: ['UNKNOWN'] }, (client) => continued(client, WORKFLOW_ID)),
];
