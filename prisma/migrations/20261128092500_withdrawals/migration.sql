-- What leaves users' wallets: transactions of ours on chains with their signed bytes, withdrawals, and the addresses they may
-- go to.

CREATE TABLE "chain_signers" (
    "chain_id" BIGINT NOT NULL,
    "address" TEXT NOT NULL,

    CONSTRAINT "chain_signers_pkey" PRIMARY KEY ("chain_id","address")
);

CREATE TABLE "chain_sends" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "chain_id" BIGINT NOT NULL,
    "signer" TEXT NOT NULL,
    "nonce" BIGINT NOT NULL,
    "state" TEXT NOT NULL,
    "to_address" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "value" DECIMAL NOT NULL,
    "block_number" BIGINT,
    "mined_hash" TEXT,
    "gas_fee" DECIMAL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chain_sends_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "chain_send_versions" (
    "send_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "max_fee" DECIMAL NOT NULL,
    "max_tip" DECIMAL NOT NULL,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,
    "signed" BYTEA,
    "signed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chain_send_versions_pkey" PRIMARY KEY ("send_id","version")
);

CREATE TABLE "embedded_wallets" (
    "user_id" TEXT NOT NULL,
    "custodian" TEXT NOT NULL,
    "wallet_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "embedded_wallets_pkey" PRIMARY KEY ("user_id","custodian")
);

CREATE TABLE "withdrawal_addresses" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "usable_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "withdrawal_addresses_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "withdrawals" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "asset" TEXT NOT NULL,
    "amount" DECIMAL NOT NULL,
    "data" JSONB NOT NULL,
    "steps" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "withdrawals_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "withdrawal_steps" (
    "withdrawal_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "fact" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "withdrawal_steps_pkey" PRIMARY KEY ("withdrawal_id","number")
);

CREATE INDEX "chain_sends_user_id_idx" ON "chain_sends"("user_id");
CREATE INDEX "chain_send_versions_hash_idx" ON "chain_send_versions"("hash");
CREATE UNIQUE INDEX "embedded_wallets_address_key" ON "embedded_wallets"("address");
CREATE INDEX "withdrawal_addresses_user_id_created_at_id_idx" ON "withdrawal_addresses"("user_id", "created_at" DESC, "id" DESC);
CREATE INDEX "withdrawals_user_id_created_at_id_idx" ON "withdrawals"("user_id", "created_at" DESC, "id" DESC);
CREATE INDEX "withdrawals_user_id_state_created_at_id_idx" ON "withdrawals"("user_id", "state", "created_at" DESC, "id" DESC);

-- What Prisma's schema cannot say.

-- A nonce belongs to one transaction, unless that one was given up before anything of it was signed.
CREATE UNIQUE INDEX "chain_sends_nonce_idx" ON "chain_sends"("chain_id", "signer", "nonce") WHERE "state" <> 'released';

-- An address is on a user's list once; one that was removed may come back, and waits again.
CREATE UNIQUE INDEX "withdrawal_addresses_listed_idx" ON "withdrawal_addresses"("user_id", "address") WHERE "removed_at" IS NULL;

-- Updated with every step.
ALTER TABLE "withdrawals" SET (fillfactor = 70);
