-- A key may end, tells when it was last used, may have limits of its own, and remembers which key it replaced.
ALTER TABLE "api_keys"
    ADD COLUMN "expires_at" TIMESTAMPTZ(3),
    ADD COLUMN "last_used_at" TIMESTAMPTZ(3),
    ADD COLUMN "rates" JSONB,
    ADD COLUMN "rotated_from" TEXT;
