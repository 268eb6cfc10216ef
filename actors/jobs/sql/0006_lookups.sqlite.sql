-- Runs that are to be cancelled are looked for several times a second, and are few.
CREATE INDEX job_cancelled ON job (worker_id) WHERE state = 1 AND is_cancelled = 1;
-- Dead jobs are replayed by their kind.
CREATE INDEX dead_by_kind ON dead (kind, id);
-- When a worker that fetches its jobs last spoke of this one.
ALTER TABLE job ADD COLUMN heard_at INTEGER;
