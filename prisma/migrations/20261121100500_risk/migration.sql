-- Unrealized profit as the watcher last saw it on that day: where the next day's profit begins.
ALTER TABLE "daily_profits" ADD COLUMN "closing_unrealized" DECIMAL;

-- What every account of the user must stay within; null: nothing beyond the account's own limits.
ALTER TABLE "users" ADD COLUMN "limits" JSONB;

-- Accounts made before there was a price band get the default one.
UPDATE "accounts" SET "limits" = '{"priceBandPercent": "10"}'::jsonb || "limits";
