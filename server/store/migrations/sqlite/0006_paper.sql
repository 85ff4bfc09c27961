-- The desks, as the administrator has written them down: one JSON text.
CREATE TABLE desks (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL
) STRICT;

CREATE TABLE papers (
  number      TEXT PRIMARY KEY,
  desk        TEXT NOT NULL,
  household   INTEGER REFERENCES households (id),
  person      TEXT REFERENCES persons (id),
  name        TEXT NOT NULL,
  doc4        TEXT NOT NULL,
  address     TEXT NOT NULL,                  -- when it was handed out
  documents   TEXT NOT NULL,                  -- seen at the desk, separated by spaces
  note        TEXT NOT NULL,
  pass        BLOB NOT NULL REFERENCES passes (id),
  first_day   TEXT NOT NULL,
  last_day    TEXT NOT NULL,
  issued_by   TEXT NOT NULL,
  issued_at   INTEGER NOT NULL,
  returned_by TEXT,
  returned_at INTEGER,
  lost_by     TEXT,
  lost_at     INTEGER
) STRICT, WITHOUT ROWID;

-- One that is out for each household and each person: a second cannot be
-- stored, whoever asks.
CREATE UNIQUE INDEX papers_household ON papers (household)
  WHERE household IS NOT NULL AND returned_at IS NULL AND lost_at IS NULL;
CREATE UNIQUE INDEX papers_person ON papers (person)
  WHERE person IS NOT NULL AND returned_at IS NULL AND lost_at IS NULL;
