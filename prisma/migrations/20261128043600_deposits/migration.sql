-- Deposits: what was asked for, the transfers that chains showed, and how far each chain was read. Their money is in the ledger,
-- whose lines may belong to a user (`user:<id>` where an account's id stands otherwise).

CREATE TABLE "deposit_addresses" (
    "user_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deposit_addresses_pkey" PRIMARY KEY ("user_id")
);

CREATE TABLE "deposits" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "to_chain_id" BIGINT NOT NULL,
    "to_address" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "steps" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deposits_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "deposit_steps" (
    "deposit_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "fact" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deposit_steps_pkey" PRIMARY KEY ("deposit_id","number")
);

CREATE TABLE "deposit_hashes" (
    "chain_id" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "deposit_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "deposit_hashes_pkey" PRIMARY KEY ("chain_id","hash")
);

CREATE TABLE "chain_transfers" (
    "chain_id" BIGINT NOT NULL,
    "tx_hash" TEXT NOT NULL,
    "log_index" INTEGER NOT NULL,
    "block_hash" TEXT NOT NULL,
    "block_number" BIGINT NOT NULL,
    "user_id" TEXT NOT NULL,
    "token" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "from_address" TEXT NOT NULL,
    "to_address" TEXT NOT NULL,
    "amount" DECIMAL NOT NULL,
    "state" TEXT NOT NULL,
    "deposit_id" TEXT,
    "reversals" INTEGER NOT NULL DEFAULT 0,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "final_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chain_transfers_pkey" PRIMARY KEY ("chain_id","tx_hash","log_index","block_hash")
);

CREATE TABLE "chain_cursors" (
    "chain_id" BIGINT NOT NULL,
    "next_block" BIGINT NOT NULL,
    "block_hash" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chain_cursors_pkey" PRIMARY KEY ("chain_id")
);

CREATE UNIQUE INDEX "deposit_addresses_address_key" ON "deposit_addresses"("address");
CREATE INDEX "deposits_user_id_created_at_id_idx" ON "deposits"("user_id", "created_at" DESC, "id" DESC);
CREATE INDEX "deposits_to_address_state_idx" ON "deposits"("to_address", "state");
CREATE INDEX "deposit_hashes_deposit_id_idx" ON "deposit_hashes"("deposit_id");
CREATE INDEX "chain_transfers_user_id_deposit_id_idx" ON "chain_transfers"("user_id", "deposit_id");
CREATE INDEX "chain_transfers_to_address_updated_at_idx" ON "chain_transfers"("to_address", "updated_at");
CREATE INDEX "chain_transfers_chain_id_state_block_number_idx" ON "chain_transfers"("chain_id", "state", "block_number");

-- What Prisma's schema cannot say.

-- A transfer is counted once at a time, whatever block holds it.
CREATE UNIQUE INDEX "chain_transfers_counted_idx" ON "chain_transfers"("chain_id", "tx_hash", "log_index") WHERE "state" IN ('deposit', 'direct', 'unclaimed');

-- Updated with every step.
ALTER TABLE "deposits" SET (fillfactor = 70);
