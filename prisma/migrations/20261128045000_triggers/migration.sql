-- What workflows wait for: watched in memory, kept here.
CREATE TABLE "triggers" (
  "id" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "workflow_id" TEXT NOT NULL,
  "venue" TEXT NOT NULL,
  "symbol" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "price_type" TEXT NOT NULL,
  "direction" TEXT NOT NULL,
  "trigger_price" DECIMAL,
  "trailing_offset" DECIMAL,
  "trailing_offset_type" TEXT,
  "activation_price" DECIMAL,
  "gap_policy" TEXT NOT NULL,
  "revision" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "extreme" DECIMAL,
  "armed_at_ms" BIGINT NOT NULL,
  "checkpoint_at_ms" BIGINT NOT NULL,
  "evidence" JSONB,
  "acknowledged" BOOLEAN NOT NULL DEFAULT false,
  "changed_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "triggers_pkey" PRIMARY KEY ("id")
);

-- What a starting watcher loads: few of all the triggers there ever were.
CREATE INDEX "triggers_waiting_idx" ON "triggers"("venue", "id") WHERE "status" = 'ARMED' OR ("status" = 'FIRED' AND NOT "acknowledged");
-- What a running one reads again.
CREATE INDEX "triggers_venue_changed_at_idx" ON "triggers"("venue", "changed_at");
CREATE INDEX "triggers_account_id_idx" ON "triggers"("account_id");
