-- Orders that a workflow placed and watches, and orders that wait for a price or a time.
ALTER TABLE "orders"
  ADD COLUMN "parent_order_id" TEXT,
  ADD COLUMN "order_list_id" TEXT,
  ADD COLUMN "strategy_id" TEXT,
  ADD COLUMN "contingency_type" TEXT,
  ADD COLUMN "supervisor_workflow_id" TEXT,
  ADD COLUMN "execution" TEXT,
  ADD COLUMN "trigger_price" DECIMAL,
  ADD COLUMN "trigger_price_type" TEXT,
  ADD COLUMN "trailing_offset" DECIMAL,
  ADD COLUMN "trailing_offset_type" TEXT,
  ADD COLUMN "activation_price" DECIMAL,
  ADD COLUMN "gap_policy" TEXT,
  ADD COLUMN "escalation" JSONB,
  ADD COLUMN "start_at" TIMESTAMPTZ(3),
  ADD COLUMN "expire_time" TIMESTAMPTZ(3),
  ADD COLUMN "triggered_at" TIMESTAMPTZ(3);

-- Few orders have one of these: the others cost nothing.
CREATE INDEX "orders_parent_idx" ON "orders"("parent_order_id") WHERE "parent_order_id" IS NOT NULL;
CREATE INDEX "orders_list_idx" ON "orders"("order_list_id") WHERE "order_list_id" IS NOT NULL;
CREATE INDEX "orders_strategy_idx" ON "orders"("strategy_id") WHERE "strategy_id" IS NOT NULL;
