-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'member',
    "event_sequence" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "user_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "body_hash" TEXT NOT NULL,
    "order_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("user_id","key")
);

-- CreateTable
CREATE TABLE "accounts" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'ACTIVE',
    "status_reason" TEXT,
    "signer_id" TEXT NOT NULL,
    "credential_id" TEXT,
    "limits" JSONB NOT NULL,
    "leverage" DECIMAL NOT NULL DEFAULT 10,
    "event_sequence" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credentials" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,
    "data" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "markets" (
    "venue" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "venue_symbol" TEXT NOT NULL,
    "asset_class" TEXT NOT NULL,
    "base" TEXT NOT NULL,
    "quote" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "tick_rule" JSONB NOT NULL,
    "lot" DECIMAL NOT NULL,
    "min_quantity" DECIMAL NOT NULL,
    "min_notional" DECIMAL NOT NULL,
    "max_leverage" DECIMAL NOT NULL,
    "maker_fee_rate" DECIMAL NOT NULL,
    "taker_fee_rate" DECIMAL NOT NULL,
    "session_hours" TEXT,
    "status" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "markets_pkey" PRIMARY KEY ("venue","symbol")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "client_order_id" TEXT NOT NULL,
    "venue_client_id" TEXT NOT NULL,
    "venue_order_id" TEXT,
    "venue" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "venue_symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "time_in_force" TEXT NOT NULL,
    "quantity" DECIMAL NOT NULL,
    "limit_price" DECIMAL,
    "post_only" BOOLEAN NOT NULL,
    "reduce_only" BOOLEAN NOT NULL,
    "filled_quantity" DECIMAL NOT NULL,
    "leaves_quantity" DECIMAL NOT NULL,
    "avg_price" DECIMAL,
    "fee" DECIMAL NOT NULL,
    "fee_asset" TEXT,
    "state" TEXT NOT NULL,
    "reason_code" TEXT,
    "reason_message" TEXT,
    "pending_cancel" BOOLEAN NOT NULL,
    "pending_replace" BOOLEAN NOT NULL,
    "origin" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "owner_workflow_id" TEXT,
    "venue_seen_at_ms" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "submitted_at" TIMESTAMPTZ(3),
    "acknowledged_at" TIMESTAMPTZ(3),
    "filled_at" TIMESTAMPTZ(3),
    "canceled_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "place_before" TIMESTAMPTZ(3),
    "fence" INTEGER NOT NULL DEFAULT 0,
    "resolutions" INTEGER NOT NULL DEFAULT 0,
    "risk_figures" JSONB,
    "fills_quantity" DECIMAL NOT NULL DEFAULT 0,
    "fills_value" DECIMAL NOT NULL DEFAULT 0,
    "valuation_price" DECIMAL NOT NULL DEFAULT 0,
    "amend_quantity" DECIMAL,
    "amend_valuation" DECIMAL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "order_evidence" (
    "order_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "data" JSON NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "order_evidence_pkey" PRIMARY KEY ("order_id","key")
);

-- CreateTable
CREATE TABLE "attempts" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "mutation_id" TEXT,
    "resend_of" TEXT,
    "is_exit" BOOLEAN NOT NULL,
    "fence" INTEGER NOT NULL DEFAULT 1,
    "nonce" DECIMAL,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,
    "data" BYTEA,
    "send_before" TIMESTAMPTZ(3) NOT NULL,
    "venue_deadline_ms" BIGINT,
    "prepared_at" TIMESTAMPTZ(3) NOT NULL,
    "taken_at" TIMESTAMPTZ(3),
    "reported_at" TIMESTAMPTZ(3),
    "superseded_at" TIMESTAMPTZ(3),
    "outcome" TEXT,
    "latency_ms" DOUBLE PRECISION,
    "venue_time_ms" BIGINT,
    "raw_answer" TEXT,

    CONSTRAINT "attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "attempt_orders" (
    "attempt_id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "attempt_orders_pkey" PRIMARY KEY ("attempt_id","order_id")
);

-- CreateTable
CREATE TABLE "mutations" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "limit_price" DECIMAL,
    "quantity" DECIMAL,
    "state" TEXT NOT NULL,
    "reason_code" TEXT,
    "owner_workflow_id" TEXT NOT NULL,
    "send_before" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "settled_at" TIMESTAMPTZ(3),

    CONSTRAINT "mutations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "exposures" (
    "account_id" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "open_orders" INTEGER NOT NULL DEFAULT 0,
    "open_buy_quantity" DECIMAL NOT NULL DEFAULT 0,
    "open_sell_quantity" DECIMAL NOT NULL DEFAULT 0,
    "open_buy_notional" DECIMAL NOT NULL DEFAULT 0,
    "open_sell_notional" DECIMAL NOT NULL DEFAULT 0,
    "reduce_only_buy_quantity" DECIMAL NOT NULL DEFAULT 0,
    "reduce_only_sell_quantity" DECIMAL NOT NULL DEFAULT 0,

    CONSTRAINT "exposures_pkey" PRIMARY KEY ("account_id","symbol")
);

-- CreateTable
CREATE TABLE "fills" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "order_id" TEXT,
    "venue" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "venue_symbol" TEXT NOT NULL,
    "venue_order_id" TEXT NOT NULL,
    "venue_fill_id" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "price" DECIMAL NOT NULL,
    "quantity" DECIMAL NOT NULL,
    "fee" DECIMAL NOT NULL,
    "fee_asset" TEXT NOT NULL,
    "liquidity" TEXT NOT NULL,
    "realized_pnl" DECIMAL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "fills_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "positions" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "venue_symbol" TEXT NOT NULL,
    "quantity" DECIMAL NOT NULL DEFAULT 0,
    "entry_price" DECIMAL,
    "realized_pnl" DECIMAL NOT NULL DEFAULT 0,
    "opened_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "venue_quantity" DECIMAL,
    "venue_entry_price" DECIMAL,
    "mark_price" DECIMAL,
    "leverage" DECIMAL,
    "margin_mode" TEXT NOT NULL DEFAULT 'cross',
    "margin" DECIMAL,
    "liquidation_price" DECIMAL,
    "unrealized_pnl" DECIMAL,
    "venue_at_ms" BIGINT,

    CONSTRAINT "positions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "balances" (
    "account_id" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "total" DECIMAL NOT NULL,
    "available" DECIMAL NOT NULL,
    "locked" DECIMAL NOT NULL,
    "at_ms" BIGINT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "balances_pkey" PRIMARY KEY ("account_id","asset")
);

-- CreateTable
CREATE TABLE "daily_profits" (
    "account_id" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "user_id" TEXT NOT NULL,
    "profit" DECIMAL NOT NULL,

    CONSTRAINT "daily_profits_pkey" PRIMARY KEY ("account_id","day")
);

-- CreateTable
CREATE TABLE "signers" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "venue" TEXT NOT NULL,
    "last_nonce" DECIMAL NOT NULL DEFAULT 0,

    CONSTRAINT "signers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "epochs" (
    "scope" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "holder" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL,
    "checkpoint" JSONB,

    CONSTRAINT "epochs_pkey" PRIMARY KEY ("scope")
);

-- CreateTable
CREATE TABLE "events" (
    "stream" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT,
    "type" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "order_id" TEXT,
    "data" JSON NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("stream","sequence")
);

-- CreateTable
CREATE TABLE "settings" (
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_hash_key" ON "api_keys"("key_hash");

-- CreateIndex
CREATE INDEX "api_keys_user_id_idx" ON "api_keys"("user_id");

-- CreateIndex
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "accounts_user_id_name_key" ON "accounts"("user_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "credentials_account_id_key" ON "credentials"("account_id");

-- CreateIndex
CREATE INDEX "markets_venue_quote_idx" ON "markets"("venue", "quote");

-- CreateIndex
CREATE UNIQUE INDEX "markets_venue_venue_symbol_key" ON "markets"("venue", "venue_symbol");

-- CreateIndex
CREATE INDEX "orders_venue_order_id_account_id_idx" ON "orders"("venue_order_id", "account_id");

-- CreateIndex
CREATE INDEX "orders_user_id_created_at_id_idx" ON "orders"("user_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "orders_client_order_id_account_id_key" ON "orders"("client_order_id", "account_id");

-- CreateIndex
CREATE UNIQUE INDEX "orders_venue_client_id_account_id_key" ON "orders"("venue_client_id", "account_id");

-- CreateIndex
CREATE INDEX "attempts_account_id_prepared_at_idx" ON "attempts"("account_id", "prepared_at");

-- CreateIndex
CREATE INDEX "attempts_mutation_id_idx" ON "attempts"("mutation_id");

-- CreateIndex
CREATE INDEX "attempt_orders_order_id_idx" ON "attempt_orders"("order_id");

-- CreateIndex
CREATE UNIQUE INDEX "mutations_order_id_kind_revision_key" ON "mutations"("order_id", "kind", "revision");

-- CreateIndex
CREATE INDEX "fills_user_id_at_id_idx" ON "fills"("user_id", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "fills_account_id_at_idx" ON "fills"("account_id", "at");

-- CreateIndex
CREATE INDEX "fills_order_id_idx" ON "fills"("order_id");

-- CreateIndex
CREATE UNIQUE INDEX "fills_venue_fill_id_venue_order_id_account_id_venue_symbol__key" ON "fills"("venue_fill_id", "venue_order_id", "account_id", "venue_symbol", "side");

-- CreateIndex
CREATE INDEX "positions_user_id_updated_at_id_idx" ON "positions"("user_id", "updated_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "positions_account_id_symbol_key" ON "positions"("account_id", "symbol");

-- CreateIndex
CREATE INDEX "events_order_id_idx" ON "events"("order_id");

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "credentials" ADD CONSTRAINT "credentials_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "accounts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say.

-- The sweeper and the account watcher read only orders that are still open: a small fraction of the table.
CREATE INDEX "orders_open_idx" ON "orders"("account_id", "updated_at") WHERE "state" NOT IN ('DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED');

-- A mutation under way, of which an order has at most one of each kind.
CREATE UNIQUE INDEX "mutations_pending_idx" ON "mutations"("order_id", "kind") WHERE "state" = 'pending';

-- A state or figure that no writer can mean.
ALTER TABLE "orders" ADD CONSTRAINT "orders_state_check" CHECK ("state" IN ('PENDING_RISK', 'DENIED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN', 'WORKING', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'));
ALTER TABLE "orders" ADD CONSTRAINT "orders_figures_check" CHECK ("quantity" > 0 AND "filled_quantity" >= 0 AND "leaves_quantity" >= 0);
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_status_check" CHECK ("status" IN ('ACTIVE', 'REDUCING', 'HALTED'));

-- Updated in place with every change: room on the page keeps their indexes out of it.
ALTER TABLE "accounts" SET (fillfactor = 50);
ALTER TABLE "exposures" SET (fillfactor = 50);
ALTER TABLE "orders" SET (fillfactor = 70);
ALTER TABLE "attempts" SET (fillfactor = 70);
