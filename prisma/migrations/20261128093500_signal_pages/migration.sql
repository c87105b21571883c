-- Signals of one status, page by page.
CREATE INDEX "signals_source_id_status_received_at_id_idx" ON "signals"("source_id", "status", "received_at" DESC, "id" DESC);
