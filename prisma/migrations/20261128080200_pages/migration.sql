-- Positions are paged account by account in the order of their key (src/store/portfolio.ts).
CREATE INDEX "positions_open_idx" ON "positions"("account_id", "symbol") WHERE "quantity" <> 0;
DROP INDEX "positions_user_id_updated_at_id_idx";
-- Deliveries of one status, which a recovery asks for too; strategies of one market.
CREATE INDEX "webhook_deliveries_endpoint_id_status_created_at_id_idx" ON "webhook_deliveries"("endpoint_id", "status", "created_at" DESC, "id" DESC);
DROP INDEX "webhook_deliveries_exhausted_idx";
CREATE INDEX "strategies_account_id_symbol_created_at_id_idx" ON "strategies"("account_id", "symbol", "created_at" DESC, "id" DESC);
