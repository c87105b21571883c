-- Order lists: OCO, OUO, OTO and brackets. The legs travel with their list: they are read and written together, under its lock.
CREATE TABLE "order_lists" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "client_list_id" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "account_id" TEXT NOT NULL,
  "venue" TEXT NOT NULL,
  "symbol" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "reason" TEXT,
  "pending_cancel" BOOLEAN NOT NULL DEFAULT false,
  "entries_stopped" BOOLEAN NOT NULL DEFAULT false,
  "legs" JSONB NOT NULL,
  "expire_time" TIMESTAMPTZ(3),
  "time_limit_ms" BIGINT,
  "close_at" TIMESTAMPTZ(3),
  "break_even_after" INTEGER,
  "revision" INTEGER NOT NULL DEFAULT 1,
  "owner_workflow_id" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "ended_at" TIMESTAMPTZ(3)
);
CREATE UNIQUE INDEX "order_lists_client_list_id_account_id_key" ON "order_lists"("client_list_id", "account_id");
-- As the lists of orders: an index that only a list says the condition of is no way to a single row.
CREATE INDEX "order_lists_listed_idx" ON "order_lists"("account_id", "created_at" DESC, "id" DESC) WHERE "id" <> '';
CREATE INDEX "order_lists_listed_by_symbol_idx" ON "order_lists"("account_id", "symbol", "created_at" DESC, "id" DESC) WHERE "id" <> '';
CREATE INDEX "order_lists_open_idx" ON "order_lists"("account_id") WHERE "ended_at" IS NULL;

-- The orders of a list, recorded before they are placed: each counts whole from then on. What it became, its order's row tells.
CREATE TABLE "order_list_children" (
  "order_list_id" TEXT NOT NULL,
  "n" INTEGER NOT NULL,
  "user_id" TEXT NOT NULL,
  "order_id" TEXT NOT NULL,
  "leg" INTEGER NOT NULL,
  "step" TEXT NOT NULL,
  "version" INTEGER NOT NULL,
  "type" TEXT NOT NULL,
  "time_in_force" TEXT NOT NULL,
  "quantity" DECIMAL NOT NULL,
  "limit_price" DECIMAL,
  "post_only" BOOLEAN NOT NULL,
  "recorded_at" TIMESTAMPTZ(3) NOT NULL,
  "cancel_asked_at" TIMESTAMPTZ(3),
  PRIMARY KEY ("order_list_id", "n")
);

-- The timeline of a list; the others' events pay one comparison.
CREATE INDEX "events_order_list_idx" ON "events"(("data" -> 'orderList' ->> 'id'), "sequence") WHERE left("type", 10) = 'orderList.';
