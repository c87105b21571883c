-- Incoming signals: who may send them (by the hash of a token), and each alert with what became of it.
CREATE TABLE "signal_sources" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "template" JSONB NOT NULL,
  "fields" JSONB NOT NULL,
  "alert_id" TEXT NOT NULL,
  "allowed_addresses" JSONB,
  "rate_limit" TEXT NOT NULL,
  "mode" TEXT NOT NULL,
  "max_delay_seconds" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "token_hash" TEXT NOT NULL,
  "old_token_hash" TEXT,
  "old_token_until" TIMESTAMPTZ(3),
  "last_signal_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "deleted_at" TIMESTAMPTZ(3)
);
CREATE INDEX "signal_sources_user_id_created_at_id_idx" ON "signal_sources"("user_id", "created_at" DESC, "id" DESC);
CREATE UNIQUE INDEX "signal_sources_token_hash_key" ON "signal_sources"("token_hash");
CREATE INDEX "signal_sources_old_token_hash_idx" ON "signal_sources"("old_token_hash");

CREATE TABLE "signals" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "source_id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "alert_id" TEXT,
  "alert_key" TEXT,
  "alert" JSONB NOT NULL,
  "address" TEXT NOT NULL,
  "request" JSONB,
  "client_id" TEXT,
  "status" TEXT NOT NULL,
  "code" TEXT,
  "message" TEXT,
  "received_at" TIMESTAMPTZ(3) NOT NULL,
  "place_before" TIMESTAMPTZ(3) NOT NULL,
  "next_attempt_at" TIMESTAMPTZ(3),
  "settled_at" TIMESTAMPTZ(3)
);
CREATE INDEX "signals_source_id_received_at_id_idx" ON "signals"("source_id", "received_at" DESC, "id" DESC);
-- One alert is one signal.
CREATE UNIQUE INDEX "signals_source_id_alert_key_key" ON "signals"("source_id", "alert_key");
-- What still has to be placed, by any API process: few at any time.
CREATE INDEX "signals_due_idx" ON "signals"("next_attempt_at") WHERE "status" = 'taken';
