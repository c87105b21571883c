-- A list of one market is read by the index that begins with account and market, also where nearly all rows are of one market: a plan is
-- made before the market is known, and from the table's own count of markets it took one as half of all rows.
ALTER TABLE "orders" ALTER COLUMN "symbol" SET (n_distinct = 500);
ALTER TABLE "fills" ALTER COLUMN "symbol" SET (n_distinct = 500);
ALTER TABLE "trades" ALTER COLUMN "symbol" SET (n_distinct = 500);
