-- What holds at the lanes, and who is inside.

-- The policy of this gate; no row = none.
CREATE TABLE policy (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  body BLOB NOT NULL -- JSON
) STRICT;

-- Lockdowns and emergency openings: the server's by scope, those of this gate
-- by source.
CREATE TABLE alarms (
  source TEXT NOT NULL,
  scope  TEXT NOT NULL, -- '' where it was raised here
  body   BLOB NOT NULL, -- JSON
  PRIMARY KEY (source, scope)
) STRICT, WITHOUT ROWID;

-- Those of them that the journal says are in force here.
CREATE TABLE held_alarms (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  body BLOB NOT NULL -- JSON
) STRICT;

-- The latest word on who is inside which area. own: this gate's; else the
-- server's, of that generation. was_*: what the event seq found.
CREATE TABLE presence (
  id        INTEGER PRIMARY KEY,
  area      TEXT NOT NULL,
  pass      BLOB NOT NULL,
  inside    INTEGER NOT NULL,
  since     INTEGER NOT NULL,
  gate      INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  expires   INTEGER NOT NULL, -- seconds
  own       INTEGER NOT NULL,
  gen       INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  was       INTEGER NOT NULL,
  was_since INTEGER NOT NULL,
  was_gate  INTEGER NOT NULL,
  UNIQUE (area, pass)
) STRICT;
CREATE INDEX presence_inside ON presence (area, since) WHERE inside = 1;
