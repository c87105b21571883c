-- The new level of a trigger order at the venue, where an amendment asks for one.
ALTER TABLE "mutations" ADD COLUMN "trigger_price" DECIMAL;
