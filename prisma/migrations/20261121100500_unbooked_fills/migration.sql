-- What the venue says filled counts as exposure until its fills are booked; this much of it never will be.
ALTER TABLE "orders" ADD COLUMN "fills_missing" DECIMAL NOT NULL DEFAULT 0;

-- Orders from before are past that moment: their positions have the fills, or the venue's word.
UPDATE "orders" SET "fills_missing" = "filled_quantity" - "fills_quantity" WHERE "filled_quantity" > "fills_quantity";

-- An order is in it only between the venue's word that it filled and its fills.
CREATE INDEX "orders_unbooked_idx" ON "orders"("account_id") WHERE "filled_quantity" > "fills_quantity" + "fills_missing";
