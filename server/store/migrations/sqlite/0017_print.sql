-- Paper passes that were printed at a gate's receipt printer. The id is who asks
-- for it's: asked again, with the same one, nothing is printed again.
CREATE TABLE prints (
  id       TEXT PRIMARY KEY,
  paper    TEXT NOT NULL REFERENCES papers (number),
  gate     INTEGER NOT NULL REFERENCES gates (id),
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  state    TEXT NOT NULL,     -- '' = nothing is known yet
  reason   TEXT NOT NULL,
  detail   TEXT NOT NULL,
  ended_at INTEGER
) STRICT, WITHOUT ROWID;
