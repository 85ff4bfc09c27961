-- What holds at the lanes of gates, who is inside, lockdowns and emergency
-- openings.

-- The gate's own part of its policy; no row = none.
CREATE TABLE policies (
  gate       INTEGER PRIMARY KEY REFERENCES gates (id),
  grouped    TEXT NOT NULL,                   -- gates that count together; '' = those of the zone
  body       TEXT NOT NULL,                   -- JSON, without the area
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL
) STRICT;

-- What the gates of an area have in common; no row = nothing.
CREATE TABLE areas (
  area TEXT PRIMARY KEY,
  body TEXT NOT NULL                          -- JSON
) STRICT, WITHOUT ROWID;

-- The latest word on who is inside. was_*: what ref found.
CREATE TABLE presence (
  area      TEXT NOT NULL,
  pass      BLOB NOT NULL,
  inside    INTEGER NOT NULL,
  since     INTEGER NOT NULL,
  gate      INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  kind      INTEGER NOT NULL,
  expires   INTEGER NOT NULL,                 -- seconds
  ref       TEXT NOT NULL,                    -- event, or 'cleared'
  was       INTEGER NOT NULL,
  was_since INTEGER NOT NULL,
  was_gate  INTEGER NOT NULL,
  PRIMARY KEY (area, pass)
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_inside ON presence (area, since) WHERE inside = 1;
CREATE INDEX presence_pass ON presence (pass);

-- In force, by scope: campus, zone:1, gate:3.
CREATE TABLE alarms (
  scope   TEXT PRIMARY KEY,
  state   TEXT NOT NULL,                      -- lockdown, open
  reason  TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  since   INTEGER NOT NULL,
  until   INTEGER                             -- null = until it is ended
) STRICT, WITHOUT ROWID;

-- What gates raised themselves and say is still in force, by source.
CREATE TABLE gate_alarms (
  gate   INTEGER NOT NULL,
  source TEXT NOT NULL,                       -- guard, input
  state  TEXT NOT NULL,
  reason  TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  since  INTEGER NOT NULL,
  PRIMARY KEY (gate, source)
) STRICT, WITHOUT ROWID;
