/**
 * By which rules an execution decides: the only place that asks `patched`, and that before anything else (docs/decisions/rules-of-a-run.md).
 * Asked later it may not be known again on replay: a query that comes while a local activity runs has its answer recorded a task before what
 * is decided by it, and a replay, which has the answer that task earlier, finds no marker there.
 */
import { patched } from '@temporalio/workflow';

/** Rules of before executions asked at their start. One that has not asked then asks for each where it did, because its history may have the marker there. */
const ASKED_IN_THEIR_PLACES = [
  /** Conditional orders: the venue is offered a native stop of amended terms, whatever it said of the ones before. */
  'native-stop-after-amendment',
  /** A row that has ended fires nothing. */
  'what-has-ended-fires-nothing',
  /** A native stop that was placed while its terms were amended is of the terms it was placed by. */
  'native-stop-of-its-terms',
  /** An amendment that the row took holds though the order fires meanwhile, and is taken once. */
  'amended-once-and-as-answered',
  /** A look that is due keeps no execution from continuing as new. */
  'looks-continue-as-new',
  /** A crossing of terms from before an amendment fires nothing. */
  'crossings-of-older-terms-fire-nothing',
  /** Order lists: the exits of a bracket share one room. */
  'exits-of-a-bracket-share-one-room',
  /** An order that has all of its leg's share but what the lot cuts off has its share. */
  'orders-for-shares-cut-to-the-lot',
  /** Lists and strategies: a restored row that lacks what was seen is given it back. */
  'restored-databases-get-back',
  /** And one that lacks orders; crossings are judged by what is remembered. */
  'knows-better-than-a-restored-row',
  /** Strategies: parts keep to their share of the quantity. */
  'parts-within-their-share',
  /** They look when something is due. */
  'looks-when-due',
  /** One of a run's refusals says why it pauses, whatever became of those after it. */
  'refusals-by-their-reason',
] as const;

/**
 * What came with each generation of executions, newest first: one has the rules of the generation it began in and of all before. A change of
 * released workflow code adds a generation in front of the others, with a name of its own.
 */
const GENERATIONS = [
  {
    start: 'ended-orders-are-folded-from-the-start',
    rules: [
      /** Whoever places orders for as long as it takes carries those that have ended as sums, but for the newest; before, all by name, beyond what Temporal takes. */
      'ended-orders-are-folded',
      /** An amend or cancel whose outcome stays open continues as new; before, Temporal ended it at 51,200 events, after 19 hours. */
      'mutations-continue-as-new',
    ],
  },
  {
    start: 'all-rules-from-the-start',
    rules: [
      /** Conditional orders: a cancel that is on its way is looked after each few seconds, however long it takes; before, as fast as could be. */
      'pending-cancels-are-awaited',
    ],
  },
] as const;

export type Rule = (typeof ASKED_IN_THEIR_PLACES)[number] | (typeof GENERATIONS)[number]['rules'][number];
/** Whether the execution goes by it. */
export type RulesOfRun = (rule: Rule) => boolean;

/** To be called first in a workflow's function, before any activity, timer or wait. */
export function rulesOfRun(asks: (patch: string) => boolean = patched): RulesOfRun {
  const begun = GENERATIONS.findIndex(({ start }) => asks(start));
  const later = new Set<Rule>(GENERATIONS.flatMap(({ rules }) => rules));
  const held = new Set<Rule>(begun === -1 ? [] : [...ASKED_IN_THEIR_PLACES, ...GENERATIONS.slice(begun).flatMap(({ rules }) => rules)]);
  return (rule) => held.has(rule) || (begun === -1 && !later.has(rule) && asks(rule));
}
