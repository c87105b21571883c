-- Money of deposits that goes on to a venue with an order: which line of the venue's ledger was counted for which deposit, and what is
-- asked back from the venue, each with its signed bytes (sealed; destroyed once their outcome is known).
CREATE TABLE "venue_credits" (
    "reference" TEXT NOT NULL,
    "deposit_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "counted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "venue_credits_pkey" PRIMARY KEY ("reference")
);

CREATE TABLE "venue_exits" (
    "deposit_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "contract" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "amount" DECIMAL NOT NULL,
    "nonce" DECIMAL NOT NULL,
    "reason_code" TEXT,
    "reason_message" TEXT,
    "sends" INTEGER NOT NULL DEFAULT 0,
    "doubted" BOOLEAN NOT NULL DEFAULT false,
    "absences" INTEGER NOT NULL DEFAULT 0,
    "unclears" INTEGER NOT NULL DEFAULT 0,
    "send_until_ms" BIGINT NOT NULL,
    "key_id" TEXT,
    "wrapped_key" BYTEA,
    "sealed" BYTEA,
    "arrival" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "venue_exits_pkey" PRIMARY KEY ("deposit_id")
);

CREATE UNIQUE INDEX "venue_credits_deposit_id_key" ON "venue_credits"("deposit_id");
CREATE UNIQUE INDEX "venue_exits_arrival_key" ON "venue_exits"("arrival");
CREATE INDEX "venue_exits_user_id_contract_idx" ON "venue_exits"("user_id", "contract");

-- What Prisma's schema cannot say.

-- The sweeper looks for orders of deposits that somebody has to be at, and for credited deposits whose way on never began.
CREATE INDEX "deposits_funded_idx" ON "deposits"(("data"->'destination'->'order'->>'state')) WHERE ("data"->'destination'->'order') IS NOT NULL;
CREATE INDEX "deposits_onward_idx" ON "deposits"("updated_at") WHERE "kind" = 'bridge' AND "state" = 'CREDITED' AND ("data"->'destination'->>'fundingId') IS NOT NULL;
-- Whether an account has a transfer to its venue under way.
CREATE INDEX "withdrawals_open_funding_idx" ON "withdrawals"(("data"->'funding'->>'accountId')) WHERE "state" IN ('APPROVED', 'SIGNED', 'SUBMITTED') AND ("data"->'funding') IS NOT NULL;
