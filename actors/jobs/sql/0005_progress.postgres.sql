-- How many children a parent had when it was enqueued, so that it can be told how many of them have ended.
ALTER TABLE job ADD COLUMN children INTEGER NOT NULL DEFAULT 0 CHECK (children >= 0);
