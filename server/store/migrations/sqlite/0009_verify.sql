-- Claims that the server itself asked and has not settled: the answer may be
-- known to the decider only.
CREATE TABLE own_claims (
  id      TEXT PRIMARY KEY,
  pass    BLOB NOT NULL,
  gate    INTEGER NOT NULL,
  made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
