-- The indexes of lists serve lists only: with a condition that is always true and that only a list says, the planner cannot take one
-- for the lookup of a single row by its own unique key. On a database that was never analysed it did: each order placed then looked at
-- every order of its account (docs/decisions/sql-plans.md).
DROP INDEX "orders_account_id_created_at_id_idx";
DROP INDEX "orders_account_id_symbol_created_at_id_idx";
DROP INDEX "fills_account_id_at_id_idx";
DROP INDEX "fills_account_id_symbol_at_id_idx";
CREATE INDEX "orders_listed_idx" ON "orders"("account_id", "created_at" DESC, "id" DESC) WHERE "id" <> '';
CREATE INDEX "orders_listed_by_symbol_idx" ON "orders"("account_id", "symbol", "created_at" DESC, "id" DESC) WHERE "id" <> '';
CREATE INDEX "fills_listed_idx" ON "fills"("account_id", "at" DESC, "id" DESC) WHERE "id" <> '';
CREATE INDEX "fills_listed_by_symbol_idx" ON "fills"("account_id", "symbol", "at" DESC, "id" DESC) WHERE "id" <> '';
