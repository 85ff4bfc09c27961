-- What guards go by. The guideline is the row 'documents' of settings.

-- PINs of guards, as package pin hashes them.
CREATE TABLE pins (
  person TEXT PRIMARY KEY REFERENCES persons (id),
  hash   TEXT NOT NULL,
  set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- In seconds. passes_ahead: a pass that begins up to here goes into the feed when
-- it is issued. passes_fed: those that were there before it have gone.
INSERT INTO counters (name, value) VALUES ('passes_ahead', 0), ('passes_fed', 0);
CREATE INDEX passes_from ON passes (valid_from);

-- The registers are read out of the events, of which they are few.
CREATE INDEX events_registers ON events (position) WHERE type IN ('register', 'annul');
