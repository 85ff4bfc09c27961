-- Business days that are closed, and what it took. Table days is of 0012.

-- Up to which running number the records of a till's journal were accounted for
-- when a day was closed. Gaps are looked for after it.
CREATE TABLE settled_journals (
  agent INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  flow  INTEGER NOT NULL,
  PRIMARY KEY (agent, epoch)
) STRICT, WITHOUT ROWID;

-- Numbers that are missing, and who answers for closing without them.
CREATE TABLE waivers (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  day       TEXT NOT NULL,                    -- that was being closed
  gate      INTEGER NOT NULL,
  agent     INTEGER NOT NULL,
  epoch     INTEGER NOT NULL,
  flow_from INTEGER NOT NULL,
  flow_to   INTEGER NOT NULL,
  fen       INTEGER,                          -- what the till's own sums say they come to; NULL = not known
  reason    TEXT NOT NULL,
  waived_by TEXT NOT NULL,
  waived_at INTEGER NOT NULL,
  UNIQUE (agent, epoch, flow_from, flow_to)
) STRICT;

-- Two of the three that should be equal and are not. It has an owner from the
-- moment that somebody accepts the day with it.
CREATE TABLE differences (
  day          TEXT NOT NULL,
  what         TEXT NOT NULL,                 -- till, merchant, batch
  ref          TEXT NOT NULL,                 -- gate, merchant, agent-epoch-number
  till_fen     INTEGER,
  server_fen   INTEGER,
  merchant_fen INTEGER,
  reason       TEXT NOT NULL,
  owner        TEXT NOT NULL,
  accepted_at  INTEGER NOT NULL,
  PRIMARY KEY (day, what, ref)
) STRICT, WITHOUT ROWID;

-- What a closed day came to. late: charges of earlier days that came after those
-- were closed.
CREATE TABLE day_totals (
  day        TEXT NOT NULL,
  merchant   INTEGER NOT NULL,
  gate       INTEGER NOT NULL,
  period     TEXT NOT NULL,
  late       INTEGER NOT NULL,
  charges    INTEGER NOT NULL,
  voids      INTEGER NOT NULL,
  fen        INTEGER NOT NULL,                -- charges less voids
  PRIMARY KEY (day, merchant, gate, period, late)
) STRICT, WITHOUT ROWID;

-- Refunds by the office, settled with the day on which they are made.
CREATE TABLE refunds (
  id         TEXT PRIMARY KEY,                -- made by whoever asked
  charge     TEXT NOT NULL,                   -- event
  merchant   INTEGER NOT NULL,
  account    INTEGER NOT NULL,
  fen        INTEGER NOT NULL,
  reason     TEXT NOT NULL,
  settle_day TEXT NOT NULL,
  made_by    TEXT NOT NULL,
  made_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refunds_charge ON refunds (charge);
CREATE INDEX refunds_day ON refunds (settle_day, merchant);

-- Payments to merchants. What is owed is in the ledger.
CREATE TABLE payments (
  id       TEXT PRIMARY KEY,
  merchant INTEGER NOT NULL,
  day      TEXT NOT NULL,                     -- up to and with this closed day
  fen      INTEGER NOT NULL,
  paid_by  TEXT NOT NULL,
  paid_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_merchant ON payments (merchant, day);

-- The accounts of a card as of the end of a closed day, with its charges in the
-- order in which they happened. Only of cards that ever had a subsidy.
CREATE TABLE splits (
  card        INTEGER PRIMARY KEY,
  day         TEXT NOT NULL,
  seq         INTEGER NOT NULL,               -- of the ledger: transfers up to here with a day up to this are in it
  main_fen    INTEGER NOT NULL,
  debt_fen    INTEGER NOT NULL,
  grants      TEXT NOT NULL                   -- JSON: what is left of each subsidy
) STRICT;

-- Days whose splits are still being set right.
CREATE TABLE splitting (
  day  TEXT PRIMARY KEY,
  seq  INTEGER NOT NULL,                      -- end of the ledger when the day was closed
  card INTEGER NOT NULL                       -- the last card that is done
) STRICT, WITHOUT ROWID;
