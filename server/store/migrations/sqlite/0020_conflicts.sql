-- What became of a conflict: whether people saw it and another system was told.
-- One more admission makes it a new one, with another ref.

ALTER TABLE conflicts ADD COLUMN ref TEXT NOT NULL DEFAULT '';  -- the use that made it
ALTER TABLE conflicts ADD COLUMN seen_at INTEGER;
ALTER TABLE conflicts ADD COLUMN seen_by TEXT NOT NULL DEFAULT '';
ALTER TABLE conflicts ADD COLUMN remark TEXT NOT NULL DEFAULT '';
ALTER TABLE conflicts ADD COLUMN told_at INTEGER;
ALTER TABLE conflicts ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conflicts ADD COLUMN next_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conflicts ADD COLUMN failure TEXT NOT NULL DEFAULT '';  -- of the last attempt

UPDATE conflicts SET ref = coalesce((SELECT u.ref FROM uses u WHERE u.pass = conflicts.pass
  AND u.annulled_at IS NULL ORDER BY u.arrival DESC LIMIT 1), '');

CREATE INDEX conflicts_unseen ON conflicts (detected_at) WHERE seen_at IS NULL;
CREATE INDEX conflicts_untold ON conflicts (next_at) WHERE told_at IS NULL;
