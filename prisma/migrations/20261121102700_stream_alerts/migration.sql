-- A socket that subscribes asks for its account's newest alert: a few rows among millions.
CREATE INDEX "events_alert_idx" ON "events"("stream", "sequence") WHERE "type" = 'account.alert';
