CREATE TABLE messages (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  person  TEXT NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  text    TEXT NOT NULL,
  link    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  read_at INTEGER
) STRICT;
CREATE INDEX messages_person ON messages (person, id);
CREATE INDEX messages_unread ON messages (person) WHERE read_at IS NULL;

-- One row for each message and channel that has yet to carry it.
CREATE TABLE outbox (
  message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  channel TEXT NOT NULL,
  tries   INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (channel, next_at, message)
) STRICT, WITHOUT ROWID;
