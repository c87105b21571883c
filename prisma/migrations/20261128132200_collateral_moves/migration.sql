-- Collateral that moves within an account at its venue, each with its signed bytes (sealed; destroyed once its outcome is known).
CREATE TABLE "collateral_moves" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "sends" INTEGER NOT NULL DEFAULT 0,
    "doubted" BOOLEAN NOT NULL DEFAULT false,
    "absences" INTEGER NOT NULL DEFAULT 0,
    "unclears" INTEGER NOT NULL DEFAULT 0,
    "venue_deadline_ms" BIGINT,
    "send_until_ms" BIGINT NOT NULL,
    "basis" TEXT NOT NULL,
    "nonce" DECIMAL,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,
    "sealed" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "collateral_moves_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "collateral_moves_user_id_created_at_id_idx" ON "collateral_moves"("user_id", "created_at" DESC, "id" DESC);
CREATE INDEX "collateral_moves_account_id_created_at_id_idx" ON "collateral_moves"("account_id", "created_at" DESC, "id" DESC);
CREATE INDEX "collateral_moves_open_idx" ON "collateral_moves"("updated_at") WHERE "state" IN ('SENDING', 'UNKNOWN');
ALTER TABLE "collateral_moves" SET (fillfactor = 70);
