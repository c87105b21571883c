-- Alerts to people: rules, what they remember, what they raised, and the channels that carry it.
CREATE TABLE "alert_rules" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "parameters" JSONB NOT NULL,
  "account_ids" JSONB,
  "symbols" JSONB,
  "channel_ids" TEXT[],
  "cooldown_seconds" INTEGER NOT NULL,
  "digest_minutes" INTEGER,
  "snoozed_until" TIMESTAMPTZ(3),
  "enabled" BOOLEAN NOT NULL,
  "active_since" TIMESTAMPTZ(3) NOT NULL,
  "revision" INTEGER NOT NULL,
  "price_step" INTEGER NOT NULL DEFAULT 0,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "deleted_at" TIMESTAMPTZ(3)
);
CREATE INDEX "alert_rules_user_id_created_at_id_idx" ON "alert_rules"("user_id", "created_at" DESC, "id" DESC);
-- Who has to be looked at: few of all the rules there ever were.
CREATE INDEX "alert_rules_enabled_idx" ON "alert_rules"("user_id", "kind") WHERE "enabled" AND "deleted_at" IS NULL;

-- Up to where the streams of a user were judged.
CREATE TABLE "alert_cursors" (
  "user_id" TEXT NOT NULL,
  "stream" TEXT NOT NULL,
  "sequence" BIGINT NOT NULL,
  PRIMARY KEY ("user_id", "stream")
);

CREATE TABLE "alert_states" (
  "rule_id" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "raised_at" TIMESTAMPTZ(3),
  "suppressed" INTEGER NOT NULL DEFAULT 0,
  "is_inside" BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY ("rule_id", "subject")
);

CREATE TABLE "alert_waits" (
  "rule_id" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "fact" JSONB NOT NULL,
  "opened_at" TIMESTAMPTZ(3) NOT NULL,
  "due_at" TIMESTAMPTZ(3) NOT NULL,
  PRIMARY KEY ("rule_id", "key")
);
CREATE INDEX "alert_waits_user_id_due_at_idx" ON "alert_waits"("user_id", "due_at");

CREATE TABLE "alerts" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "rule_id" TEXT NOT NULL,
  "rule_name" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "title" TEXT NOT NULL,
  "body" TEXT NOT NULL,
  "account_id" TEXT,
  "symbol" TEXT,
  "data" JSONB NOT NULL,
  "suppressed" INTEGER NOT NULL,
  "raised_at" TIMESTAMPTZ(3) NOT NULL,
  "acknowledged_at" TIMESTAMPTZ(3),
  "acknowledged_by" TEXT
);
CREATE INDEX "alerts_user_id_raised_at_id_idx" ON "alerts"("user_id", "raised_at" DESC, "id" DESC);
CREATE INDEX "alerts_user_id_rule_id_raised_at_id_idx" ON "alerts"("user_id", "rule_id", "raised_at" DESC, "id" DESC);
CREATE INDEX "alerts_user_id_kind_raised_at_id_idx" ON "alerts"("user_id", "kind", "raised_at" DESC, "id" DESC);
-- What nobody has seen is few of all there were, or what somebody has.
CREATE INDEX "alerts_unseen_idx" ON "alerts"("user_id", "raised_at" DESC, "id" DESC) WHERE "acknowledged_at" IS NULL;
CREATE INDEX "alerts_seen_idx" ON "alerts"("user_id", "raised_at" DESC, "id" DESC) WHERE "acknowledged_at" IS NOT NULL;
-- For what is too old to be kept: rows lie by their time, and no list is to be read by it.
CREATE INDEX "alerts_raised_at_idx" ON "alerts" USING brin ("raised_at");

CREATE TABLE "alert_channels" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  "target_hash" TEXT NOT NULL,
  "key_id" TEXT,
  "wrapped_key" BYTEA,
  "data" BYTEA,
  "status" TEXT NOT NULL,
  "disabled_reason" TEXT,
  "disabled_at" TIMESTAMPTZ(3),
  "code_expires_at" TIMESTAMPTZ(3),
  "code_tries" INTEGER NOT NULL DEFAULT 0,
  "verified_at" TIMESTAMPTZ(3),
  "failures_in_a_row" INTEGER NOT NULL DEFAULT 0,
  "held_until" TIMESTAMPTZ(3),
  "last_error" TEXT,
  "last_delivered_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "deleted_at" TIMESTAMPTZ(3)
);
CREATE INDEX "alert_channels_user_id_created_at_id_idx" ON "alert_channels"("user_id", "created_at" DESC, "id" DESC);
CREATE INDEX "alert_channels_target_hash_idx" ON "alert_channels"("target_hash");

-- What leaves: an outgoing message, the same over all its attempts.
CREATE TABLE "alert_messages" (
  "id" TEXT PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "channel_id" TEXT NOT NULL,
  "target_hash" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "body" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "next_attempt_at" TIMESTAMPTZ(3),
  "external_id" TEXT,
  "last_error" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "settled_at" TIMESTAMPTZ(3)
);
CREATE INDEX "alert_messages_waiting_idx" ON "alert_messages"("channel_id", "created_at", "id") WHERE "status" = 'pending';
CREATE INDEX "alert_messages_codes_idx" ON "alert_messages"("target_hash", "created_at") WHERE "kind" = 'verification';
CREATE INDEX "alert_messages_codes_of_user_idx" ON "alert_messages"("user_id", "created_at") WHERE "kind" = 'verification';
CREATE INDEX "alert_messages_settled_at_idx" ON "alert_messages"("settled_at");

-- An alert that a channel has to carry, alone or with others that are due with it.
CREATE TABLE "alert_notices" (
  "channel_id" TEXT NOT NULL,
  "alert_id" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "rule_id" TEXT NOT NULL,
  "raised_at" TIMESTAMPTZ(3) NOT NULL,
  "due_at" TIMESTAMPTZ(3) NOT NULL,
  "message_id" TEXT,
  PRIMARY KEY ("channel_id", "alert_id")
);
CREATE INDEX "alert_notices_alert_id_idx" ON "alert_notices"("alert_id");
CREATE INDEX "alert_notices_message_id_idx" ON "alert_notices"("message_id");
CREATE INDEX "alert_notices_due_idx" ON "alert_notices"("channel_id", "due_at", "raised_at", "alert_id") WHERE "message_id" IS NULL;
CREATE INDEX "alert_notices_rule_idx" ON "alert_notices"("rule_id") WHERE "message_id" IS NULL;

-- A price that a person waits for belongs to no account.
ALTER TABLE "triggers" ALTER COLUMN "account_id" DROP NOT NULL;
