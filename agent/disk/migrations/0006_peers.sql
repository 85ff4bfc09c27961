-- Who stands for which gate, so that gates can ask each other directly.
CREATE TABLE peers (
  gate INTEGER PRIMARY KEY,
  body BLOB NOT NULL -- JSON
) STRICT;

-- Of moved passes: how often, and to which agent of the gate.
ALTER TABLE owners ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owners ADD COLUMN agent_epoch INTEGER NOT NULL DEFAULT 0;

-- Passes that this gate gave up (seq is the event of that), and those that it
-- heard of from the gate that did (seq 0), until the server says the same.
CREATE TABLE moves (
  pass    BLOB PRIMARY KEY,
  id      TEXT NOT NULL,
  gate    INTEGER NOT NULL,
  epoch   INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  body    BLOB,             -- JSON of the move; null where it was heard of
  expires INTEGER NOT NULL  -- seconds
) STRICT, WITHOUT ROWID;
