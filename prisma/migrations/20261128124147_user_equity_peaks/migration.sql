-- The highest profit of all accounts of a user together since the drawdown limit was set or released.
CREATE TABLE "user_equity_peaks" (
  "user_id" TEXT PRIMARY KEY,
  "peak" DECIMAL NOT NULL,
  "peak_at" TIMESTAMPTZ(3) NOT NULL
);
-- Peaks of accounts were of the venue's balance, and are of what the ledger says was gained: they begin anew.
DELETE FROM "equity_peaks";
