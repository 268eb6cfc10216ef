-- `pinned_at` is when an analysis became the baseline of its workflow, which has at most one. What
-- is pinned is kept: retention does not see it.
ALTER TABLE analysis ADD COLUMN pinned_at BIGINT;

CREATE UNIQUE INDEX analysis_baseline ON analysis (workflow_id) WHERE pinned_at IS NOT NULL;

DROP INDEX analysis_by_age;
CREATE INDEX analysis_by_age ON analysis (tier, created_at) WHERE pinned_at IS NULL;
