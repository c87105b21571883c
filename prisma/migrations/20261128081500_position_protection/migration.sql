-- Since when an open position has no stop that covers it, and whether its owner was told. Kept by the account's watcher; gone when it is flat.
CREATE TABLE "position_protections" (
  "account_id" TEXT NOT NULL,
  "symbol" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "venue" TEXT NOT NULL,
  "protection" TEXT NOT NULL CHECK ("protection" IN ('native', 'durable', 'both', 'none')),
  "unprotected_since" TIMESTAMPTZ(3),
  "alerted_at" TIMESTAMPTZ(3),
  PRIMARY KEY ("account_id", "symbol")
);
