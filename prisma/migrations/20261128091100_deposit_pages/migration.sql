-- Deposits of one state, page by page.
CREATE INDEX "deposits_user_id_state_created_at_id_idx" ON "deposits"("user_id", "state", "created_at" DESC, "id" DESC);
