-- Strategies and their children, recorded before they are placed.
CREATE TABLE "strategies" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "client_strategy_id" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "venue" TEXT NOT NULL,
  "symbol" TEXT NOT NULL,
  "venue_symbol" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "side" TEXT NOT NULL,
  "quantity" DECIMAL NOT NULL,
  "reduce_only" BOOLEAN NOT NULL,
  "parameters" JSONB NOT NULL,
  "state" TEXT NOT NULL,
  "reason" TEXT,
  "pending_cancel" BOOLEAN NOT NULL DEFAULT false,
  "filled_quantity" DECIMAL NOT NULL DEFAULT 0,
  "avg_price" DECIMAL,
  "revision" INTEGER NOT NULL DEFAULT 1,
  "run" INTEGER NOT NULL DEFAULT 0,
  "start_at" TIMESTAMPTZ(3),
  "expire_at" TIMESTAMPTZ(3),
  "started_at" TIMESTAMPTZ(3),
  "run_started_at" TIMESTAMPTZ(3),
  "paused_at" TIMESTAMPTZ(3),
  "paused_ms" BIGINT NOT NULL DEFAULT 0,
  "owner_workflow_id" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "ended_at" TIMESTAMPTZ(3)
);
CREATE UNIQUE INDEX "strategies_client_strategy_id_account_id_key" ON "strategies"("client_strategy_id", "account_id");
CREATE INDEX "strategies_account_id_created_at_id_idx" ON "strategies"("account_id", "created_at" DESC, "id" DESC);
CREATE INDEX "strategies_open_idx" ON "strategies"("account_id") WHERE "ended_at" IS NULL;

CREATE TABLE "strategy_children" (
  "strategy_id" TEXT NOT NULL,
  "n" INTEGER NOT NULL,
  "user_id" TEXT NOT NULL,
  "order_id" TEXT NOT NULL,
  "run" INTEGER NOT NULL,
  "leg" TEXT NOT NULL,
  "quantity" DECIMAL NOT NULL,
  "limit_price" DECIMAL NOT NULL,
  "time_in_force" TEXT NOT NULL,
  "post_only" BOOLEAN NOT NULL,
  "recorded_at" TIMESTAMPTZ(3) NOT NULL,
  PRIMARY KEY ("strategy_id", "n")
);

-- The timeline of a strategy; the others' events pay one comparison.
CREATE INDEX "events_strategy_idx" ON "events"(("data" -> 'strategy' ->> 'id'), "sequence") WHERE left("type", 9) = 'strategy.';

-- Kill switches, latched until a person releases them. The account's row carries its latch, so that the placing transaction
-- reads it under the lock it takes anyway.
CREATE TABLE "kill_switches" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "account_id" TEXT,
  "venue" TEXT,
  "mode" TEXT NOT NULL,
  "reason" TEXT,
  "latched_at" TIMESTAMPTZ(3) NOT NULL,
  "latched_by" TEXT NOT NULL,
  "released_at" TIMESTAMPTZ(3),
  "released_by" TEXT
);
CREATE INDEX "kill_switches_latched_idx" ON "kill_switches"("user_id") WHERE "released_at" IS NULL;
ALTER TABLE "accounts" ADD COLUMN "kill_switch_id" TEXT;

-- The exits a kill switch sends, recorded before they are placed.
CREATE TABLE "kill_switch_exits" (
  "kill_switch_id" TEXT NOT NULL,
  "n" INTEGER NOT NULL,
  "user_id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "symbol" TEXT NOT NULL,
  "order_id" TEXT NOT NULL,
  "side" TEXT NOT NULL,
  "quantity" DECIMAL NOT NULL,
  "recorded_at" TIMESTAMPTZ(3) NOT NULL,
  PRIMARY KEY ("kill_switch_id", "n")
);

-- The dead-man switch of an account: silence until then cancels its orders.
CREATE TABLE "heartbeats" (
  "account_id" TEXT NOT NULL PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "timeout_ms" INTEGER NOT NULL,
  "expires_at" TIMESTAMPTZ(3),
  "beat_at" TIMESTAMPTZ(3) NOT NULL,
  "fired_at" TIMESTAMPTZ(3)
);

-- The highest profit an account had since its drawdown limit was set or released.
CREATE TABLE "equity_peaks" (
  "account_id" TEXT NOT NULL PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "peak" DECIMAL NOT NULL,
  "peak_at" TIMESTAMPTZ(3) NOT NULL
);
