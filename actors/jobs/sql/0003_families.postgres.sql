-- Parents wait, blocked, until their children have ended. `needs_children`: none of them may fail;
-- only then are failures counted.
ALTER TABLE job ADD COLUMN needs_children SMALLINT NOT NULL DEFAULT 0 CHECK (needs_children IN (0, 1));
ALTER TABLE job ADD COLUMN failed_children INTEGER NOT NULL DEFAULT 0 CHECK (failed_children >= 0);
