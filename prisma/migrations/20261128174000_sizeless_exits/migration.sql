-- An exit of the whole position that was made at the venue may have no size there: it is adopted as it is.
ALTER TABLE "orders" DROP CONSTRAINT "orders_figures_check";
ALTER TABLE "orders" ADD CONSTRAINT "orders_figures_check" CHECK (("quantity" > 0 OR ("quantity" = 0 AND coalesce("grouping", '') = 'positionExits')) AND "filled_quantity" >= 0 AND "leaves_quantity" >= 0) NOT VALID;
ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_figures_check";
