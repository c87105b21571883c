-- Round trips from flat to flat, funding payments, and the double-entry ledger.

CREATE TABLE "trades" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "venue_symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "entry_quantity" DECIMAL NOT NULL,
    "entry_value" DECIMAL NOT NULL,
    "exit_quantity" DECIMAL NOT NULL,
    "exit_value" DECIMAL NOT NULL,
    "realized_pnl" DECIMAL NOT NULL,
    "fees" DECIMAL NOT NULL,
    "funding" DECIMAL NOT NULL,
    "carried_in" BOOLEAN NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "trades_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "funding_payments" (
    "account_id" TEXT NOT NULL,
    "venue_symbol" TEXT NOT NULL,
    "venue_payment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "trade_id" TEXT,
    "amount" DECIMAL NOT NULL,
    "asset" TEXT NOT NULL,
    "rate" DECIMAL,
    "quantity" DECIMAL,
    "mark_price" DECIMAL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "funding_payments_pkey" PRIMARY KEY ("account_id","venue_symbol","venue_payment_id")
);

CREATE TABLE "ledger_entries" (
    "account_id" TEXT NOT NULL,
    "fact" TEXT NOT NULL,
    "book" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "number" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "symbol" TEXT,
    "amount" DECIMAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_entries_pkey" PRIMARY KEY ("account_id","fact","book","asset")
);

CREATE TABLE "ledger_balances" (
    "account_id" TEXT NOT NULL,
    "book" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "amount" DECIMAL NOT NULL,

    CONSTRAINT "ledger_balances_pkey" PRIMARY KEY ("account_id","book","asset")
);

ALTER TABLE "positions" ADD COLUMN "trade_id" TEXT;

CREATE INDEX "trades_account_id_opened_at_id_idx" ON "trades"("account_id", "opened_at" DESC, "id" DESC);
CREATE INDEX "trades_account_id_symbol_opened_at_id_idx" ON "trades"("account_id", "symbol", "opened_at" DESC, "id" DESC);
CREATE INDEX "ledger_entries_account_id_number_idx" ON "ledger_entries"("account_id", "number" DESC);

-- What Prisma's schema cannot say.

-- A market has at most one round trip under way.
CREATE UNIQUE INDEX "trades_open_idx" ON "trades"("account_id", "symbol") WHERE "closed_at" IS NULL;

-- Whoever writes them: the lines of a fact are written by one statement and sum to zero in each asset.
CREATE FUNCTION "ledger_must_balance"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong TEXT;
BEGIN
  SELECT p.fact || ' in ' || p.asset INTO wrong FROM posted p GROUP BY p.account_id, p.fact, p.asset HAVING sum(p.amount) <> 0 LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'the ledger lines of % do not sum to zero', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "ledger_entries_balance" AFTER INSERT ON "ledger_entries" REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION "ledger_must_balance"();

-- A line is never changed and never taken out: what was wrong is put right by another fact.
CREATE FUNCTION "ledger_is_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ledger entries are only added' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "ledger_entries_append_only" BEFORE UPDATE OR DELETE ON "ledger_entries" FOR EACH STATEMENT EXECUTE FUNCTION "ledger_is_append_only"();

-- Updated in place with every fill.
ALTER TABLE "ledger_balances" SET (fillfactor = 50);
ALTER TABLE "trades" SET (fillfactor = 70);
