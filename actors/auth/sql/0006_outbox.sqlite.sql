-- Mails are handed to the jobs service by their ids, and deleted when they are sent. One that is there
-- a while after it was handed over is handed over again.

ALTER TABLE mails ADD COLUMN enqueued_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX mails_by_enqueuing ON mails (enqueued_at, id);
