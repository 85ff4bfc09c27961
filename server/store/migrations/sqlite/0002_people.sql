-- Who is who on a campus, and where they live. Phones and ID-card numbers are
-- sealed, and found by their keyed hash. Days are texts, 2026-05-01.

INSERT INTO counters (name, value) VALUES ('residents', 0);

CREATE TABLE campuses (
  id     TEXT PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,
  zone   INTEGER,                             -- of its gates
  police TEXT NOT NULL DEFAULT ''             -- issues temporary residence papers
) STRICT, WITHOUT ROWID;

-- folded: the name as it is compared, without spaces and full-width forms.
CREATE TABLE compounds (
  id        INTEGER PRIMARY KEY,
  campus    TEXT NOT NULL REFERENCES campuses (id),
  name      TEXT NOT NULL,
  folded    TEXT NOT NULL UNIQUE,
  on_campus INTEGER NOT NULL                  -- counts as a campus address on documents
) STRICT;

CREATE TABLE buildings (
  id       INTEGER PRIMARY KEY,
  compound INTEGER NOT NULL REFERENCES compounds (id),
  name     TEXT NOT NULL,
  folded   TEXT NOT NULL,
  UNIQUE (compound, folded)
) STRICT;

CREATE TABLE rooms (
  id       INTEGER PRIMARY KEY,
  building INTEGER NOT NULL REFERENCES buildings (id),
  name     TEXT NOT NULL,
  folded   TEXT NOT NULL,
  UNIQUE (building, folded)
) STRICT;

CREATE TABLE units (
  id     TEXT PRIMARY KEY,
  name   TEXT NOT NULL,
  parent TEXT REFERENCES units (id),
  kind   TEXT NOT NULL,
  campus TEXT REFERENCES campuses (id),
  head   TEXT REFERENCES persons (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX units_parent ON units (parent);

CREATE TABLE persons (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,                   -- '' = a resident who has only signed in
  kind       TEXT NOT NULL,
  level      TEXT NOT NULL,
  unit       TEXT REFERENCES units (id),
  phone      BLOB,                            -- sealed
  phone_key  BLOB,                            -- keyed hash
  number     BLOB,                            -- of the ID card, sealed
  number_key BLOB,
  mail       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  left_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX persons_phone ON persons (phone_key) WHERE left_at IS NULL;
CREATE INDEX persons_number ON persons (number_key);
CREATE INDEX persons_unit ON persons (unit);

-- A post is held from the first day to the last, unless it was ended before.
CREATE TABLE posts (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  role      TEXT NOT NULL,
  person    TEXT NOT NULL REFERENCES persons (id),
  unit      TEXT REFERENCES units (id),       -- NULL = everywhere
  gate      INTEGER REFERENCES gates (id),
  first_day TEXT NOT NULL,
  last_day  TEXT,
  ended_at  INTEGER
) STRICT;
CREATE INDEX posts_person ON posts (person);
CREATE INDEX posts_role ON posts (role);

CREATE TABLE households (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  room        INTEGER NOT NULL REFERENCES rooms (id),
  head        TEXT NOT NULL,
  verified_by TEXT,
  verified_at INTEGER,
  created_at  INTEGER NOT NULL,
  UNIQUE (room, head)
) STRICT;

CREATE TABLE members (
  household INTEGER NOT NULL REFERENCES households (id),
  person    TEXT NOT NULL REFERENCES persons (id),
  relation  TEXT NOT NULL,
  since     TEXT NOT NULL,
  PRIMARY KEY (household, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_person ON members (person);

-- A file that was looked over and waits to be confirmed.
CREATE TABLE imports (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL,                   -- of the file
  sum        TEXT NOT NULL,                   -- SHA-256 of the file, hex
  table_read BLOB,                            -- header and rows, sealed; gone once used
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;
