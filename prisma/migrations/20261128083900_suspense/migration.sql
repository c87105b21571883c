-- Why a transfer is held in suspense, and the listing of what is.
ALTER TABLE "chain_transfers" ADD COLUMN "why" TEXT;
CREATE INDEX "chain_transfers_suspense_idx" ON "chain_transfers"("user_id", "final_at" DESC) WHERE "state" = 'unclaimed';
-- Counted by state for operators.
CREATE INDEX "deposits_state_idx" ON "deposits"("state");
