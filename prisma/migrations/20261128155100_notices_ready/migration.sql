-- When an alert would be due on a channel without a snooze: a snooze that ends early gives that back. A process of the version before,
-- which may still raise alerts while it is replaced, writes none: then it is ready at once.
ALTER TABLE "alert_notices" ADD COLUMN "ready_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now();
UPDATE "alert_notices" SET "ready_at" = "due_at";
