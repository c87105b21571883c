-- Administrative acts, hash-chained per user (src/store/audit.ts).
CREATE TABLE "audit_entries" (
    "user_id" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor" TEXT NOT NULL,
    "act" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "data" JSON NOT NULL,
    "previous_hash" TEXT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("user_id","number")
);

-- The end of each chain: who appends locks it, so that numbers have no gap.
CREATE TABLE "audit_heads" (
    "user_id" TEXT NOT NULL,
    "number" BIGINT NOT NULL DEFAULT 0,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_heads_pkey" PRIMARY KEY ("user_id")
);
