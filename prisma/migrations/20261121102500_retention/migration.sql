-- The hourly retention run finds what is old without reading what is not.

-- Events are inserted in the order of their time: a few bytes for each range of pages tell which are old.
CREATE INDEX "events_at_idx" ON "events" USING brin ("at");

-- Only of requests whose bytes are still there: a day's.
CREATE INDEX "attempts_bytes_idx" ON "attempts"("prepared_at") WHERE "data" IS NOT NULL;
