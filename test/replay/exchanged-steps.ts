/**
 * Runs inside the workflows of reordering.test.ts: wherever the workflow takes one of the two steps that its history's memo names, it
 * takes the other one. What Temporal sees is what it would see of code with the two in the other order, and no file is changed.
 */
import { proxyActivities, proxyLocalActivities, sleep, startChild, workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { EXCHANGE_MEMO, stepOf, type Step } from './steps';

export const interceptors: WorkflowInterceptorsFactory = () => {
  let isOther = false;

  /** The code behind it waits for ever then: that it took the wrong step is all that replay needs. */
  function take<Answer>(step: Step, itself: () => Promise<Answer>): Promise<Answer> {
    // Only now: the memo is not there yet when interceptors are made.
    const exchange = (workflowInfo().memo?.[EXCHANGE_MEMO] ?? []) as readonly Step[];
    const other = exchange.find((each) => each !== step);
    if (isOther || other === undefined || !exchange.includes(step)) return itself();
    isOther = true;
    try {
      begin(other);
    } finally {
      isOther = false;
    }
    return new Promise(() => undefined);
  }

  return {
    outbound: [
      {
        scheduleActivity: (input, next) => take(stepOf('activity', input.activityType), () => next(input)),
        scheduleLocalActivity: (input, next) => take(stepOf('local activity', input.activityType), () => next(input)),
        startChildWorkflowExecution: (input, next) => take(stepOf('child', input.workflowType), () => next(input)),
        startTimer: (input, next) => take('timer', () => next(input)),
      },
    ],
  };
};

/** A day: none of them ends while a history is replayed. */
const LONG = '1 day';

function begin(step: Step): void {
  const [kind, name = ''] = step.split(': ');
  const ignored = (): void => undefined;
  if (kind === 'activity') void proxyActivities<Record<string, () => Promise<void>>>({ startToCloseTimeout: LONG })[name]?.().catch(ignored);
  else if (kind === 'local activity') void proxyLocalActivities<Record<string, () => Promise<void>>>({ startToCloseTimeout: LONG })[name]?.().catch(ignored);
  else if (kind === 'child') void startChild(name, { args: [] }).catch(ignored);
  else void sleep(LONG).catch(ignored);
}
