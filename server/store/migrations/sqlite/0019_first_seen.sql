-- Gates that may admit on their own while nobody answers.

-- Within these limits, under the policy first_seen.
ALTER TABLE gates ADD COLUMN offline_max INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gates ADD COLUMN offline_age_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gates ADD COLUMN offline_confirm INTEGER NOT NULL DEFAULT 0;

-- 1 from the first day under first_seen until somebody confirms, after the last,
-- that the gate holds nothing back. Until then it may be dark, whatever its
-- policy is now. Which of them are dark is in memory: after a restart, all.
ALTER TABLE gates ADD COLUMN shares INTEGER NOT NULL DEFAULT 0;
