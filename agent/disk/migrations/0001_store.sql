-- Times are unix milliseconds unless a column says seconds. Tables with one row
-- have id 1.

-- Who this agent is. The private key stays with the journal on purpose: a key
-- without its journal would be an agent that has forgotten whom it admitted.
CREATE TABLE identity (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  agent     INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  gate      INTEGER NOT NULL,
  site      TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  server    TEXT NOT NULL,
  root      BLOB NOT NULL,
  private   BLOB NOT NULL
) STRICT;

-- acked: the server holds every event up to here. pruned: the chain's beginning,
-- where older events were removed. claims: the last claim number given out.
CREATE TABLE progress (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  acked       INTEGER NOT NULL,
  pruned      INTEGER NOT NULL,
  pruned_hash BLOB NOT NULL,
  claims      INTEGER NOT NULL
) STRICT;

-- high_water was true when the journal ended at seq; later events may raise it.
CREATE TABLE clock (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  offset_ms  INTEGER NOT NULL,
  synced     INTEGER NOT NULL,
  high_water INTEGER NOT NULL,
  seq        INTEGER NOT NULL
) STRICT;

-- The journal. body is the exact bytes that were hashed; the other columns
-- repeat what is looked up.
CREATE TABLE events (
  seq      INTEGER PRIMARY KEY,
  hash     BLOB NOT NULL,
  at       INTEGER NOT NULL,
  scan     TEXT NOT NULL,
  pass     BLOB,
  opens    INTEGER NOT NULL,
  counts   INTEGER NOT NULL,
  annulled INTEGER,
  body     BLOB NOT NULL
) STRICT;
CREATE INDEX events_admitted ON events (scan) WHERE opens = 1;

-- What this gate did with a pass. count: decided here; claimed: own admissions
-- under somebody else's answer; recent: the last own admission.
CREATE TABLE uses (
  pass          BLOB PRIMARY KEY,
  count         INTEGER NOT NULL,
  claimed       INTEGER NOT NULL,
  first_at      INTEGER,
  first_gate    INTEGER,
  first_seq     INTEGER,
  recent_at     INTEGER,
  recent_reason INTEGER,
  recent_seq    INTEGER,
  expires       INTEGER NOT NULL -- seconds
) STRICT, WITHOUT ROWID;

-- The highest proof counter admitted of each phone; two's complement.
CREATE TABLE counters (
  pass    BLOB NOT NULL,
  phone   BLOB NOT NULL,
  counter INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (pass, phone)
) STRICT, WITHOUT ROWID;

-- The last question that this gate asked about a pass. state: 1 open, 2 opened,
-- 3 refused, 4 given back.
CREATE TABLE claims (
  pass    BLOB PRIMARY KEY,
  number  INTEGER NOT NULL,
  state   INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  owner   INTEGER NOT NULL,
  expires INTEGER NOT NULL -- seconds
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_open ON claims (at) WHERE state = 1;

-- What this gate, as owner, answered. state: granted, used, dead.
CREATE TABLE answers (
  claim      TEXT PRIMARY KEY,
  pass       BLOB NOT NULL,
  state      TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  first_at   INTEGER,
  first_gate INTEGER,
  expires    INTEGER NOT NULL -- seconds
) STRICT, WITHOUT ROWID;

-- Claims that the server released and the journal has not yet taken back.
CREATE TABLE releases (
  claim TEXT PRIMARY KEY,
  pass  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The snapshot. Of the rows of one key the latest with base <= gen <= current
-- is in force; a higher gen is still arriving, a lower one waits for removal.
CREATE TABLE snapshot (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  lineage  TEXT NOT NULL,
  revision INTEGER NOT NULL,
  fresh    INTEGER NOT NULL,
  base     INTEGER NOT NULL,
  current  INTEGER NOT NULL,
  dirty    INTEGER NOT NULL -- 1 while rows of other generations may be there
) STRICT;

CREATE TABLE keyring (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  serial INTEGER NOT NULL,
  signed BLOB NOT NULL
) STRICT;

CREATE TABLE gates (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL,
  zone      INTEGER NOT NULL,
  mode      TEXT NOT NULL,
  owns_from INTEGER NOT NULL, -- seconds
  documents INTEGER NOT NULL
) STRICT;

CREATE TABLE revocations (
  pass    BLOB NOT NULL,
  gen     INTEGER NOT NULL,
  gone    INTEGER NOT NULL,
  expires INTEGER NOT NULL, -- seconds
  PRIMARY KEY (pass, gen)
) STRICT, WITHOUT ROWID;

-- Passes that were moved from one phone to another: the key that stands.
CREATE TABLE phones (
  pass    BLOB NOT NULL,
  gen     INTEGER NOT NULL,
  gone    INTEGER NOT NULL,
  phone   BLOB NOT NULL,
  expires INTEGER NOT NULL, -- seconds: the end of every credential of the others
  PRIMARY KEY (pass, gen)
) STRICT, WITHOUT ROWID;

CREATE TABLE owners (
  pass    BLOB NOT NULL,
  gen     INTEGER NOT NULL,
  gone    INTEGER NOT NULL,
  gate    INTEGER NOT NULL,
  expires INTEGER NOT NULL, -- seconds
  PRIMARY KEY (pass, gen)
) STRICT, WITHOUT ROWID;

-- What the server has counted. mine: the part of count that this journal counted.
CREATE TABLE elsewhere (
  pass       BLOB NOT NULL,
  gen        INTEGER NOT NULL,
  gone       INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  mine       INTEGER NOT NULL,
  first_at   INTEGER NOT NULL,
  first_gate INTEGER NOT NULL,
  expires    INTEGER NOT NULL, -- seconds
  PRIMARY KEY (pass, gen)
) STRICT, WITHOUT ROWID;
