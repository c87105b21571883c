-- Orders that wait in a workflow: armed, then triggered; they are never sent themselves.
ALTER TABLE "orders" DROP CONSTRAINT "orders_state_check";
ALTER TABLE "orders" ADD CONSTRAINT "orders_state_check" CHECK ("state" IN ('PENDING_RISK', 'DENIED', 'ARMED', 'TRIGGERED', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN', 'WORKING', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'));

-- The sweeper looks for held orders whose workflow is gone: only those that are open are in it.
CREATE INDEX "orders_held_idx" ON "orders"("updated_at") WHERE "execution" IN ('durable', 'both') AND "state" NOT IN ('DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED');
