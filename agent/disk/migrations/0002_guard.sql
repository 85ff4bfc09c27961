-- What guards go by: from the server, and of their own doing.

CREATE TABLE guideline (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  body BLOB NOT NULL -- JSON
) STRICT;

CREATE TABLE guards (
  number TEXT PRIMARY KEY,
  name   TEXT NOT NULL,
  hash   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Passes to look up. They admit nobody.
CREATE TABLE passes (
  pass    BLOB NOT NULL,
  gen     INTEGER NOT NULL,
  gone    INTEGER NOT NULL,
  kind    INTEGER NOT NULL,
  name    TEXT NOT NULL,
  starts  INTEGER NOT NULL, -- seconds
  expires INTEGER NOT NULL, -- seconds
  uses    INTEGER NOT NULL,
  zones   INTEGER NOT NULL,
  PRIMARY KEY (pass, gen)
) STRICT, WITHOUT ROWID;

-- The guard on duty; no row = nobody.
CREATE TABLE shift (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  number TEXT NOT NULL,
  name   TEXT NOT NULL,
  since  INTEGER NOT NULL
) STRICT;

-- Entries of the registers that began here, by the event with which they began.
CREATE TABLE registers (
  seq      INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,
  rule     TEXT NOT NULL,
  person   TEXT NOT NULL,
  number   TEXT NOT NULL,
  relation TEXT NOT NULL,
  staff    TEXT NOT NULL,
  at       INTEGER NOT NULL,
  ended    INTEGER,         -- the event with which it ended
  ended_at INTEGER
) STRICT;
