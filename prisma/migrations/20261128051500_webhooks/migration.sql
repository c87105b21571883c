-- Webhooks: endpoints with their sealed secrets, where each has read the outbox to, deliveries with the bytes they send, attempts.
CREATE TABLE "webhook_endpoints" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "url" TEXT NOT NULL,
  "description" TEXT NOT NULL,
  "event_types" TEXT[],
  "account_ids" JSONB,
  "rate_limit" TEXT,
  "ordering" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "disabled_reason" TEXT,
  "disabled_at" TIMESTAMPTZ(3),
  "failing_since" TIMESTAMPTZ(3),
  "failures_in_a_row" INTEGER NOT NULL DEFAULT 0,
  "breaker_trips" INTEGER NOT NULL DEFAULT 0,
  "breaker_open_until" TIMESTAMPTZ(3),
  "last_number" BIGINT NOT NULL DEFAULT 0,
  "waiting" INTEGER NOT NULL DEFAULT 0,
  "rate_tokens" DOUBLE PRECISION,
  "rate_at" TIMESTAMPTZ(3),
  "told_failing_at" TIMESTAMPTZ(3),
  "told_exhausted_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "deleted_at" TIMESTAMPTZ(3)
);
CREATE INDEX "webhook_endpoints_user_id_created_at_id_idx" ON "webhook_endpoints"("user_id", "created_at" DESC, "id" DESC);

CREATE TABLE "webhook_secrets" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "endpoint_id" TEXT NOT NULL,
  "key_id" TEXT NOT NULL,
  "wrapped_key" BYTEA NOT NULL,
  "data" BYTEA NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "expires_at" TIMESTAMPTZ(3)
);
CREATE INDEX "webhook_secrets_endpoint_id_created_at_idx" ON "webhook_secrets"("endpoint_id", "created_at" DESC);

CREATE TABLE "webhook_cursors" (
  "endpoint_id" TEXT NOT NULL,
  "stream" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "sequence" BIGINT NOT NULL,
  PRIMARY KEY ("endpoint_id", "stream")
);

CREATE TABLE "webhook_deliveries" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "endpoint_id" TEXT NOT NULL,
  "number" BIGINT NOT NULL,
  "event_type" TEXT NOT NULL,
  "stream" TEXT,
  "sequence" BIGINT,
  "ordering_key" TEXT NOT NULL,
  "body" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "blocked" BOOLEAN NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "failures" INTEGER NOT NULL DEFAULT 0,
  "next_attempt_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "settled_at" TIMESTAMPTZ(3)
);
CREATE INDEX "webhook_deliveries_endpoint_id_created_at_id_idx" ON "webhook_deliveries"("endpoint_id", "created_at" DESC, "id" DESC);
CREATE INDEX "webhook_deliveries_settled_at_idx" ON "webhook_deliveries"("settled_at");
-- What may be sent now, the earliest first; and who is next with the same key.
CREATE INDEX "webhook_deliveries_due_idx" ON "webhook_deliveries"("endpoint_id", "next_attempt_at", "number") WHERE "status" = 'pending' AND NOT "blocked";
CREATE INDEX "webhook_deliveries_key_idx" ON "webhook_deliveries"("endpoint_id", "ordering_key", "number") WHERE "status" = 'pending';
CREATE INDEX "webhook_deliveries_exhausted_idx" ON "webhook_deliveries"("endpoint_id", "created_at") WHERE "status" = 'exhausted';

CREATE TABLE "webhook_attempts" (
  "delivery_id" TEXT NOT NULL,
  "number" INTEGER NOT NULL,
  "user_id" TEXT NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "code" INTEGER,
  "latency_ms" DOUBLE PRECISION,
  "error_class" TEXT,
  "answer" TEXT,
  PRIMARY KEY ("delivery_id", "number")
);
