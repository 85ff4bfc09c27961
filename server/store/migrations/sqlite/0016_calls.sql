-- Calls for help from gates where nobody stands. Open ones are kept in memory;
-- a row is what is remembered of each. Who it was about is not in it.
CREATE TABLE calls (
  id            TEXT PRIMARY KEY,
  gate          INTEGER NOT NULL,
  lane          TEXT NOT NULL,
  reason        TEXT NOT NULL,
  at            INTEGER NOT NULL, -- when the server heard it
  state         TEXT NOT NULL,
  answered_gate INTEGER,          -- whose guard answered
  guard         TEXT,             -- number of who answered
  answered_at   INTEGER,
  ended_at      INTEGER,          -- NULL = open
  verdict       TEXT              -- of the scan that was settled
) STRICT;
CREATE INDEX calls_at ON calls (at);

-- Gates that answer the calls of a gate. Without a row: those of the same zone.
CREATE TABLE call_answers (
  gate        INTEGER NOT NULL REFERENCES gates (id),
  answered_by INTEGER NOT NULL REFERENCES gates (id),
  PRIMARY KEY (gate, answered_by)
) STRICT, WITHOUT ROWID;
