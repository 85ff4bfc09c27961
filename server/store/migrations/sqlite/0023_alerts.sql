-- Devices that were down for too long while their gate was open. A device has
-- one at a time.
CREATE TABLE outages (
  id       INTEGER PRIMARY KEY,
  gate     INTEGER NOT NULL,
  lane     TEXT NOT NULL,
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  driver   TEXT NOT NULL,
  state    TEXT NOT NULL,
  detail   TEXT NOT NULL,
  since    INTEGER NOT NULL,  -- when the server first heard that it was down
  found_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX outages_open ON outages (gate, lane, kind, name) WHERE ended_at IS NULL;
CREATE INDEX outages_found ON outages (found_at);

-- What the webhook is to be told beside conflicts, in the order of seq. Those
-- about the same thing are told one after the other.
CREATE TABLE tidings (
  seq      INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,  -- of the delivery
  about    TEXT NOT NULL,
  body     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  told_at  INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at  INTEGER NOT NULL DEFAULT 0,
  failure  TEXT NOT NULL DEFAULT ''  -- of the last attempt
) STRICT;
CREATE INDEX tidings_untold ON tidings (about, seq) WHERE told_at IS NULL;
