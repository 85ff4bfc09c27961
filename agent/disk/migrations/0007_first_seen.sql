-- What a gate of the policy first_seen may do while nobody answers.
ALTER TABLE gates ADD COLUMN offline_max INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gates ADD COLUMN offline_age_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gates ADD COLUMN offline_confirm INTEGER NOT NULL DEFAULT 0;

-- The events with which this gate admitted without everybody having been asked,
-- that the server may not hold.
CREATE TABLE unconfirmed (
  seq INTEGER PRIMARY KEY
) STRICT;
