import { integer, marketBackups, ratio } from './setting-kinds';

const DAY_MS = 86_400_000;

/** Rows of the table of settings for how long the trading path waits, and when a trigger believes a price. */
export const WAIT_SETTINGS = {
  durationScale: ratio({
    env: 'SUREFILL_DURATION_SCALE',
    default: 1,
    min: 0.001,
    max: 10,
    description: 'Multiplies the long waits below that say so; tests use 0.1.',
  }),
  absenceFinalAfterMs: integer({
    env: 'SUREFILL_ABSENCE_FINAL_AFTER_MS',
    default: 120_000,
    min: 1,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    description: 'How long after its deadline an order must be absent at the venue before that counts as never placed. Scaled.',
  }),
  placeDeadlineMs: integer({
    env: 'SUREFILL_PLACE_DEADLINE_MS',
    default: 10_000,
    min: 100,
    max: DAY_MS,
    unit: 'ms',
    description: 'An order that certainly was not sent within this time after its intent is refused; an amendment is not sent after it.',
  }),
  auditPollMs: integer({
    env: 'SUREFILL_AUDIT_POLL_MS',
    default: 30_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    storable: true,
    description: 'Time between two reads of the venue that do not trust its stream. Scaled.',
  }),
  sweepIntervalMs: integer({
    env: 'SUREFILL_SWEEP_INTERVAL_MS',
    default: 10_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    storable: true,
    description: 'Time between two looks of the sweeper for orders that nobody owns. Scaled.',
  }),
  unprotectedAlertMs: integer({
    env: 'SUREFILL_UNPROTECTED_ALERT_MS',
    default: 30_000,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    description: 'How long an open position may have no stop that covers it before its account is told (account.alert of kind UNPROTECTED). 0: for ever.',
  }),
  triggerBandBps: integer({
    env: 'SUREFILL_TRIGGER_BAND_BPS',
    default: 1_000,
    min: 1,
    max: 10_000,
    unit: 'basis points',
    description: "A price further than this from the market's last fires nothing until the market's other prices or time confirm it.",
  }),
  triggerConfirmMs: integer({
    env: 'SUREFILL_TRIGGER_CONFIRM_MS',
    default: 500,
    min: 0,
    max: 60_000,
    unit: 'ms',
    description: 'How long such a price has to stand, by more than one message, before it counts.',
  }),
  triggerBackups: marketBackups({
    env: 'SUREFILL_TRIGGER_BACKUPS',
    description: 'Where triggers take a price from while its own venue is silent: venue/SYMBOL=venue/SYMBOL, a comma list.',
  }),
  stuckAfterMs: integer({
    env: 'SUREFILL_STUCK_AFTER_MS',
    default: 10_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    storable: true,
    description: 'An order in a passing state for longer is looked at by the sweeper. Scaled.',
  }),
};
