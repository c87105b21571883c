-- Which round trip was looked at: one that ended and another that began between two looks are told apart.
ALTER TABLE "position_protections" ADD COLUMN "trade_id" TEXT;
