-- Times are unix milliseconds unless a comment says seconds. Facts that happen
-- once are nullable times.

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- revision: last of the feed; horizon: cursors below it get a snapshot;
-- position: last of the events; judged: position up to which audit has been.
CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('revision', 0), ('horizon', 0), ('position', 0), ('judged', 0);

CREATE TABLE keys (
  kid            BLOB PRIMARY KEY,
  purpose        TEXT NOT NULL,
  kinds          INTEGER NOT NULL,
  state          TEXT NOT NULL,
  public         BLOB NOT NULL,
  sealed         BLOB,                        -- gone once the key no longer signs
  not_before     INTEGER NOT NULL,            -- seconds, planned first use
  published_at   INTEGER NOT NULL,
  active_at      INTEGER,
  retired_at     INTEGER,
  compromised_at INTEGER,
  dropped_at     INTEGER,                     -- left the keyring
  last_expiry    INTEGER NOT NULL DEFAULT 0   -- seconds, of the credentials it signed
) STRICT, WITHOUT ROWID;

CREATE TABLE keyrings (
  serial  INTEGER PRIMARY KEY,
  signed  BLOB NOT NULL,
  made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE zones (
  id   INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 32),
  name TEXT NOT NULL UNIQUE
) STRICT;

-- AUTOINCREMENT: the id is in signed codes and must never be given out again.
CREATE TABLE gates (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  name           TEXT NOT NULL UNIQUE,
  zone           INTEGER NOT NULL REFERENCES zones (id),
  mode           TEXT NOT NULL,
  documents      INTEGER NOT NULL,
  owns_from      INTEGER NOT NULL DEFAULT 0,  -- seconds
  draining_since INTEGER,                     -- an earlier decider may hold uses unknown here
  created_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE enrolments (
  hash       BLOB PRIMARY KEY,                -- SHA-256 of the one-time secret
  gate       INTEGER NOT NULL REFERENCES gates (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  gate        INTEGER NOT NULL UNIQUE REFERENCES gates (id),
  epoch       INTEGER NOT NULL,
  public      BLOB NOT NULL UNIQUE,
  hostname    TEXT NOT NULL,
  enrolled_at INTEGER NOT NULL,
  revoked_at  INTEGER,
  seen_at     INTEGER,
  state       TEXT                            -- JSON, the hub's last report
) STRICT;

CREATE TABLE journals (
  agent INTEGER NOT NULL REFERENCES agents (id),
  epoch INTEGER NOT NULL,
  acked INTEGER NOT NULL,                     -- highest contiguous seq
  head  BLOB NOT NULL,                        -- hash that the next event follows
  PRIMARY KEY (agent, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE passes (
  id            BLOB PRIMARY KEY,
  kind          INTEGER NOT NULL,
  name          TEXT NOT NULL,
  doc4          TEXT NOT NULL,
  valid_from    INTEGER NOT NULL,             -- seconds
  valid_until   INTEGER NOT NULL,             -- seconds, first moment after
  uses          INTEGER NOT NULL,             -- 0 = unlimited
  zones         INTEGER NOT NULL,
  owner         INTEGER NOT NULL,             -- gate, 0 = the server
  bound         INTEGER NOT NULL,             -- live codes only
  kid           BLOB NOT NULL,
  code          TEXT NOT NULL,                -- static code, '' when bound
  issued_at     INTEGER NOT NULL,
  issued_by     TEXT NOT NULL,
  revoked_at    INTEGER,
  revoke_reason TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE nonces (
  nonce      BLOB PRIMARY KEY,
  pass       BLOB NOT NULL REFERENCES passes (id),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE phones (
  pass        BLOB NOT NULL REFERENCES passes (id),
  phone       BLOB NOT NULL,                  -- signing.PhoneID
  public      BLOB NOT NULL,                  -- compressed point
  kid         BLOB NOT NULL,
  enrolled_at INTEGER NOT NULL,
  renewed_at  INTEGER NOT NULL,
  expires     INTEGER NOT NULL,               -- seconds, of the last credential
  replaced_at INTEGER,
  PRIMARY KEY (pass, phone)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  position    INTEGER PRIMARY KEY,            -- order of arrival
  agent       INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  hash        BLOB NOT NULL,
  body        BLOB NOT NULL,                  -- the bytes that were hashed
  at          INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  gate        INTEGER NOT NULL,
  type        TEXT NOT NULL,
  pass        BLOB,
  reason      INTEGER NOT NULL,
  offline     INTEGER NOT NULL,
  claim       TEXT,
  opinion     INTEGER,                        -- the server's reason
  judged_at   INTEGER,
  UNIQUE (agent, epoch, seq)
) STRICT;
CREATE INDEX events_claim ON events (claim) WHERE claim IS NOT NULL;

-- Few rows: an opinion may change when something about its pass comes to light
-- later, and people look at these.
CREATE INDEX events_disputed ON events (pass, reason, opinion) WHERE opinion <> reason;

CREATE TABLE quarantine (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  agent       INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  hash        BLOB NOT NULL,
  body        BLOB NOT NULL,
  problem     TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  UNIQUE (agent, epoch, seq, hash)
) STRICT;

-- Claims that the server decided. dead: given back before it was asked.
CREATE TABLE claims (
  id          TEXT PRIMARY KEY,
  pass        BLOB NOT NULL,
  gate        INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  decided_at  INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('granted', 'used', 'released', 'dead')),
  first_at    INTEGER,
  first_gate  INTEGER,
  expires     INTEGER NOT NULL                -- seconds, of the pass
) STRICT, WITHOUT ROWID;

-- One row for every counted admission of a counted pass, also a part of the
-- feed: the items of kind use are these rows, added up. Clustered by revision,
-- so that only the small index on pass is written in random order.
CREATE TABLE uses (
  revision    INTEGER PRIMARY KEY,            -- of its last change
  arrival     INTEGER NOT NULL,               -- revision when it came
  pass        BLOB NOT NULL,
  ref         TEXT NOT NULL,                  -- event id, or 'claim:' and the claim's id
  claim       TEXT,
  gate        INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  allowed     INTEGER NOT NULL,               -- uses of the pass
  expires     INTEGER NOT NULL,               -- seconds, of the pass
  annulled_at INTEGER
) STRICT;
CREATE INDEX uses_pass ON uses (pass);

CREATE TABLE conflicts (
  pass        BLOB PRIMARY KEY,
  detected_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The other items of the feed, one row for each kind and key.
CREATE TABLE feed (
  kind       INTEGER NOT NULL,                -- rank: the order in a snapshot
  key        TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  gone       INTEGER NOT NULL,
  body       TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  expires_at INTEGER,                         -- then nobody needs it
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX feed_revision ON feed (revision);

CREATE TABLE tokens (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  hash       BLOB NOT NULL UNIQUE,            -- SHA-256 of the token
  name       TEXT NOT NULL,
  scopes     TEXT NOT NULL,                   -- separated by spaces
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- One-time links for a first sign-in to the console.
CREATE TABLE links (
  hash       BLOB PRIMARY KEY,
  purpose    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE trail (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  action  TEXT NOT NULL,
  target  TEXT NOT NULL,
  details TEXT NOT NULL,                      -- JSON
  hash    BLOB NOT NULL                       -- over the entry and the hash before it
) STRICT;
