-- The sweeper asks for those that have not ended, of every user.
CREATE INDEX "withdrawals_state_idx" ON "withdrawals"("state");
