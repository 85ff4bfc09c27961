-- Merchants, their tills, and what the tills took.

-- AUTOINCREMENT: the id is in the names of ledger accounts.
CREATE TABLE merchants (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE,
  active     INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE merchant_managers (
  merchant INTEGER NOT NULL REFERENCES merchants (id),
  person   TEXT NOT NULL REFERENCES persons (id),
  PRIMARY KEY (merchant, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX merchant_managers_person ON merchant_managers (person);

-- A till is a gate with a row here.
CREATE TABLE tills (
  gate    INTEGER PRIMARY KEY REFERENCES gates (id),
  place   TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT;

-- Every version of a till's rules stays: charges name the one they were made by,
-- and the merchant of that version is who is paid.
CREATE TABLE till_versions (
  gate       INTEGER NOT NULL REFERENCES tills (gate),
  version    INTEGER NOT NULL,
  merchant   INTEGER NOT NULL REFERENCES merchants (id),
  rules      TEXT NOT NULL,                   -- JSON, wire.Till without names
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (gate, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX till_versions_merchant ON till_versions (merchant);

-- Questions of tills with their answers, which hold for ever. settled: the till's
-- own record of it has come, or had come before the question.
CREATE TABLE charge_claims (
  id         TEXT PRIMARY KEY,
  sum        BLOB NOT NULL,                   -- SHA-256 of the question; empty = it never came
  gate       INTEGER NOT NULL,
  account    INTEGER NOT NULL,
  phone      BLOB NOT NULL,
  ctr        INTEGER NOT NULL,
  amount_fen INTEGER NOT NULL,
  day        TEXT NOT NULL,
  period     TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  expires    INTEGER NOT NULL,                -- ms, of the hold
  state      TEXT NOT NULL CHECK (state IN ('held', 'refused', 'settled')),
  answer     TEXT NOT NULL                    -- JSON, wire.ChargeAnswer; '' = silence
) STRICT, WITHOUT ROWID;
CREATE INDEX charge_claims_held ON charge_claims (account) WHERE state = 'held';
CREATE INDEX charge_claims_proof ON charge_claims (phone, ctr) WHERE state = 'held';

-- What tills reported of money, one row for an event.
CREATE TABLE charges (
  position    INTEGER PRIMARY KEY,            -- of the event
  event       TEXT NOT NULL UNIQUE,           -- agent-epoch-seq
  agent       INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('charge', 'void', 'declined')),
  gate        INTEGER NOT NULL,
  merchant    INTEGER NOT NULL,
  account     INTEGER NOT NULL,               -- 0 = none was read (declined)
  phone       BLOB,
  ctr         INTEGER,
  at          INTEGER NOT NULL,               -- the till's corrected clock
  received_at INTEGER NOT NULL,
  day         TEXT NOT NULL,                  -- business day of the event
  settle_day  TEXT NOT NULL,                  -- day that it is settled with
  period      TEXT NOT NULL,
  batch       INTEGER NOT NULL,
  flow        INTEGER NOT NULL,
  sum_fen     INTEGER NOT NULL,
  amount_fen  INTEGER NOT NULL,
  entry       TEXT NOT NULL,
  items       TEXT NOT NULL,                  -- JSON, list of wire.ChargeItem
  config      TEXT NOT NULL,
  offline     INTEGER NOT NULL,
  reason      INTEGER NOT NULL,
  claim       TEXT,
  cashier     TEXT NOT NULL,
  transfer    TEXT,                           -- NULL = no money was moved
  main_fen    INTEGER NOT NULL,               -- who paid, of a charge: these make up amount_fen
  subsidy_fen INTEGER NOT NULL,
  debt_fen    INTEGER NOT NULL,
  suspense_fen INTEGER NOT NULL,
  voids       TEXT,                           -- of a void: event
  voided_by   TEXT,                           -- of a charge: event
  late        INTEGER NOT NULL,               -- its own day was closed
  after_loss  INTEGER NOT NULL,               -- the card had been reported lost
  duplicate   INTEGER NOT NULL                -- another charge has the first right to the proof
) STRICT;
CREATE INDEX charges_journal ON charges (agent, epoch, flow);
CREATE INDEX charges_account ON charges (account, day);
CREATE INDEX charges_proof ON charges (phone, ctr) WHERE kind = 'charge';
CREATE INDEX charges_settled ON charges (settle_day, merchant);
CREATE INDEX charges_days ON charges (day);
CREATE INDEX charges_voids ON charges (voids) WHERE voids IS NOT NULL;

-- How far the running numbers of each till's journal have come.
CREATE TABLE till_journals (
  agent   INTEGER NOT NULL,
  epoch   INTEGER NOT NULL,
  flow    INTEGER NOT NULL,
  sum_fen INTEGER NOT NULL,
  PRIMARY KEY (agent, epoch)
) STRICT, WITHOUT ROWID;

-- Batches as their tills report them; server_ is what the charges come to here.
CREATE TABLE batches (
  agent          INTEGER NOT NULL,
  epoch          INTEGER NOT NULL,
  number         INTEGER NOT NULL,
  gate           INTEGER NOT NULL,
  merchant       INTEGER NOT NULL,
  opened_at      INTEGER,
  closed_at      INTEGER,
  flow_from      INTEGER,                     -- running number before its first record
  flow_to        INTEGER,
  charges        INTEGER,
  voids          INTEGER,
  total_fen      INTEGER,
  server_charges INTEGER,
  server_voids   INTEGER,
  server_fen     INTEGER,
  PRIMARY KEY (agent, epoch, number)
) STRICT, WITHOUT ROWID;

-- What a person has to look at. quarantined: the record could not be read as
-- money; expected and got are of flow, sum_fen or a batch's total.
CREATE TABLE charge_problems (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  event      TEXT NOT NULL,
  gate       INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  expected   INTEGER,
  got        INTEGER,
  detail     TEXT NOT NULL,
  found_at   INTEGER NOT NULL,
  settled_at INTEGER,
  settled_by TEXT,
  UNIQUE (event, kind)
) STRICT;

-- Business days that were closed.
CREATE TABLE days (
  day       TEXT PRIMARY KEY,
  closed_at INTEGER NOT NULL,
  closed_by TEXT NOT NULL,
  report    TEXT NOT NULL -- JSON of a settle.DayReport, as the day was closed
) STRICT, WITHOUT ROWID;

INSERT INTO counters (name, value) VALUES ('charges_followed', 0);
CREATE INDEX events_money ON events (position) WHERE type IN ('charge', 'void', 'batch');
