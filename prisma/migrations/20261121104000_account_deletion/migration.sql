-- A deleted account keeps its row, because its orders, fills and events stay readable; its sealed key does not.
ALTER TABLE "accounts" ADD COLUMN "deleted_at" TIMESTAMPTZ(3);
