-- What lists are filtered by, as many values as there are in the end: in a sample of a million rows a rare one is missing, and a planner that
-- sees a single value takes the index without it and reads them all (docs/decisions/sql-plans.md).
ALTER TABLE "orders" ALTER COLUMN "symbol" SET (n_distinct = 200);
ALTER TABLE "fills" ALTER COLUMN "symbol" SET (n_distinct = 200);
ALTER TABLE "trades" ALTER COLUMN "symbol" SET (n_distinct = 200);
ALTER TABLE "strategies" ALTER COLUMN "symbol" SET (n_distinct = 200);
ALTER TABLE "order_lists" ALTER COLUMN "symbol" SET (n_distinct = 200);
ALTER TABLE "webhook_deliveries" ALTER COLUMN "status" SET (n_distinct = 4);
ALTER TABLE "deposits" ALTER COLUMN "state" SET (n_distinct = 16);
ALTER TABLE "withdrawals" ALTER COLUMN "state" SET (n_distinct = 8);
ALTER TABLE "signals" ALTER COLUMN "status" SET (n_distinct = 8);
ALTER TABLE "alerts" ALTER COLUMN "kind" SET (n_distinct = 8);
ALTER TABLE "alerts" ALTER COLUMN "rule_id" SET (n_distinct = 20);
ALTER TABLE "alert_messages" ALTER COLUMN "status" SET (n_distinct = 4);
