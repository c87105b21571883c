-- The level of a list's native stop, as it was recorded before it was placed; NULL: an order that waits for no price.
ALTER TABLE "order_list_children" ADD COLUMN "trigger_price" DECIMAL;
