-- What the server asked to have printed. An id is written before the first byte
-- goes to the printer, and what came of it afterwards: none is printed twice.
CREATE TABLE prints (
  id     TEXT PRIMARY KEY,
  at     INTEGER NOT NULL,
  state  TEXT NOT NULL,     -- '' = it began
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;
