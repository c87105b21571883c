-- Lists are read account by account, newest first, of all markets or of one (src/store/listing.ts).
CREATE INDEX "orders_account_id_created_at_id_idx" ON "orders"("account_id", "created_at" DESC, "id" DESC);
CREATE INDEX "orders_account_id_symbol_created_at_id_idx" ON "orders"("account_id", "symbol", "created_at" DESC, "id" DESC);
CREATE INDEX "fills_account_id_at_id_idx" ON "fills"("account_id", "at" DESC, "id" DESC);
CREATE INDEX "fills_account_id_symbol_at_id_idx" ON "fills"("account_id", "symbol", "at" DESC, "id" DESC);
DROP INDEX "orders_user_id_created_at_id_idx";
DROP INDEX "fills_user_id_at_id_idx";
DROP INDEX "fills_account_id_at_idx";
