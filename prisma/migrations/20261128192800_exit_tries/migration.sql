-- How often a withdrawal from a venue was asked for: each time after a refusal, by a person's word, under a nonce of its own.
ALTER TABLE "venue_exits" ADD COLUMN "tries" INTEGER NOT NULL DEFAULT 1;
