-- Orders that belong together at the venue: how, and under which first order. Null for all that stand alone.
ALTER TABLE orders ADD COLUMN grouping text, ADD COLUMN group_id text;
