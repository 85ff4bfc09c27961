-- Applications: flows, matters on their way, what they may hold and what came of them.
-- Times are ms and facts that happen once are nullable, as everywhere.

-- What was published, whole.
CREATE TABLE flow_files (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  yaml         TEXT NOT NULL,
  hash         BLOB NOT NULL,                  -- SHA-256 of yaml
  published_at INTEGER NOT NULL,
  published_by TEXT NOT NULL
) STRICT;

CREATE TABLE flows (
  id         TEXT PRIMARY KEY,
  version    INTEGER NOT NULL,                 -- newest
  stopped_at INTEGER                           -- nobody can start one
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_versions (
  flow    TEXT NOT NULL REFERENCES flows (id),
  version INTEGER NOT NULL,
  file    INTEGER NOT NULL REFERENCES flow_files (id),
  hash    BLOB NOT NULL,                       -- of what this flow says
  PRIMARY KEY (flow, version)
) STRICT, WITHOUT ROWID;

-- One row for each matter; body is the whole of it, the other columns repeat
-- what lists ask for.
CREATE TABLE applications (
  id           TEXT PRIMARY KEY,
  flow         TEXT NOT NULL,
  version      INTEGER NOT NULL,
  state        TEXT NOT NULL,
  step         TEXT NOT NULL,
  starter      TEXT NOT NULL,
  starter_name TEXT NOT NULL,
  unit         TEXT NOT NULL,
  title        TEXT NOT NULL,
  serial       TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  submitted_at INTEGER,
  ended_at     INTEGER,
  remind_at    INTEGER,                        -- the next reminder
  origin       TEXT,                           -- application that opened it
  client_key   TEXT,                           -- of the starter's client
  request      BLOB,                           -- SHA-256 of what came with that key
  body         BLOB NOT NULL                   -- JSON, sealed
) STRICT, WITHOUT ROWID;
CREATE INDEX applications_starter ON applications (starter, created_at);
CREATE UNIQUE INDEX applications_key ON applications (starter, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX applications_flow ON applications (flow, submitted_at);
CREATE INDEX applications_remind ON applications (remind_at) WHERE remind_at IS NOT NULL;

-- Whose lists a matter is in: todo, done, cc.
CREATE TABLE application_boxes (
  person      TEXT NOT NULL,
  box         TEXT NOT NULL,
  application TEXT NOT NULL REFERENCES applications (id),
  task        TEXT NOT NULL,                   -- '' in cc
  at          INTEGER NOT NULL,
  PRIMARY KEY (person, box, application)
) STRICT, WITHOUT ROWID;
CREATE INDEX application_boxes_at ON application_boxes (person, box, at);

CREATE TABLE serials (
  flow   TEXT NOT NULL,
  period TEXT NOT NULL,                        -- of its numbers: a day, a month, a year or ''
  last   INTEGER NOT NULL,
  PRIMARY KEY (flow, period)
) STRICT, WITHOUT ROWID;

-- A date that counts for a household, from the submit on; the pass comes when
-- it is issued.
CREATE TABLE quota_entries (
  household   INTEGER NOT NULL,
  date        TEXT NOT NULL,
  application TEXT NOT NULL,
  pass        BLOB REFERENCES passes (id),
  released_at INTEGER,
  PRIMARY KEY (household, date, application)
) STRICT, WITHOUT ROWID;
CREATE INDEX quota_entries_application ON quota_entries (application);

CREATE TABLE application_passes (
  pass        BLOB PRIMARY KEY REFERENCES passes (id),
  application TEXT NOT NULL,
  person      TEXT NOT NULL,
  household   INTEGER                          -- of a resident's pass
) STRICT, WITHOUT ROWID;
CREATE INDEX application_passes_application ON application_passes (application);
CREATE INDEX application_passes_person ON application_passes (person);
CREATE INDEX application_passes_household ON application_passes (household) WHERE household IS NOT NULL;

CREATE TABLE attachments (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL,
  type     TEXT NOT NULL,
  size     INTEGER NOT NULL,
  hash     BLOB NOT NULL,                      -- SHA-256
  owner    TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which matters hold an attachment.
CREATE TABLE application_files (
  attachment  TEXT NOT NULL REFERENCES attachments (id),
  application TEXT NOT NULL,
  PRIMARY KEY (attachment, application)
) STRICT, WITHOUT ROWID;

CREATE TABLE bulletins (
  id          INTEGER PRIMARY KEY,
  application TEXT NOT NULL,
  title       TEXT NOT NULL,
  body        TEXT NOT NULL,
  published_at INTEGER NOT NULL
) STRICT;

-- Whom a bulletin is for; '' = everybody.
CREATE TABLE bulletin_units (
  bulletin INTEGER NOT NULL REFERENCES bulletins (id),
  unit     TEXT NOT NULL,
  PRIMARY KEY (bulletin, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE archive (
  application TEXT PRIMARY KEY REFERENCES applications (id),
  title       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  filed_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
