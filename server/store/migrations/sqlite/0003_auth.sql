-- How persons sign in. Nothing here can be used by who reads it: secrets are
-- kept as hashes, phones and numbers that were tried as keyed hashes.

CREATE TABLE passwords (
  person      TEXT PRIMARY KEY REFERENCES persons (id),
  phc         TEXT NOT NULL,                  -- argon2id
  must_change INTEGER NOT NULL,               -- somebody else made it
  changed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id that was shown never means another session.
CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  hash       BLOB NOT NULL UNIQUE,            -- SHA-256 of the cookie
  person     TEXT NOT NULL REFERENCES persons (id),
  way        TEXT NOT NULL,                   -- phone, password, link, oidc:ID, cas:ID
  device     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_person ON sessions (person);

-- The history that people see of themselves. person: NULL = nobody has the
-- number that was tried.
CREATE TABLE logins (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  person  TEXT,
  at      INTEGER NOT NULL,
  way     TEXT NOT NULL,
  ip      TEXT NOT NULL,
  device  TEXT NOT NULL,
  result  TEXT NOT NULL,
  session INTEGER
) STRICT;
CREATE INDEX logins_person ON logins (person, id);
CREATE INDEX logins_at ON logins (at);

-- Wrong passwords of a number, whether somebody has it or not.
CREATE TABLE attempts (
  number       BLOB PRIMARY KEY,
  count        INTEGER NOT NULL,
  began_at     INTEGER NOT NULL,
  locked_until INTEGER
) STRICT, WITHOUT ROWID;

-- One open code for each purpose and phone, and who was sent one when.
CREATE TABLE codes (
  slot       BLOB PRIMARY KEY,
  hash       BLOB NOT NULL,
  tries      INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sent_codes (
  phone BLOB NOT NULL,
  at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sent_codes_phone ON sent_codes (phone, at);
