-- Money that comes in and goes out beside the tills: recharges through payment
-- channels, the cash desk, electricity and hot water. The ledger has the
-- entries; here is what was asked, and what the other side said.

CREATE TABLE recharges (
  id          TEXT PRIMARY KEY,               -- the order number that the channel knows
  person      TEXT NOT NULL,                  -- who asked
  key         TEXT NOT NULL,                  -- made by the asker
  account     INTEGER NOT NULL,               -- card account to be credited
  channel     TEXT NOT NULL,
  way         TEXT NOT NULL,
  payer       TEXT NOT NULL,                  -- as the channel names whoever pays; '' = it does not
  fen         INTEGER NOT NULL CHECK (fen > 0),
  pay         TEXT,                           -- how to pay, JSON; null = the channel has not said
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  asked       INTEGER NOT NULL DEFAULT 0,     -- times
  asked_at    INTEGER NOT NULL DEFAULT 0,
  ask_at      INTEGER,                        -- next; null = it is known what became of it
  trade       TEXT NOT NULL DEFAULT '',       -- the channel's own number
  paid_at     INTEGER,                        -- by the channel's clock
  credited_at INTEGER,                        -- posted to the ledger, in the same change
  suspended   INTEGER NOT NULL DEFAULT 0,     -- it was posted to suspense: the account is closed
  refunded_at INTEGER,
  closed_at   INTEGER,                        -- nobody can pay it any more
  failed      INTEGER NOT NULL DEFAULT 0,     -- closed because paying failed
  UNIQUE (person, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX recharges_ask ON recharges (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX recharges_paid ON recharges (channel, paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX recharges_mine ON recharges (person, created_at);
CREATE INDEX recharges_all ON recharges (created_at);

-- What a person has to look at. The same finding twice is one row.
CREATE TABLE recharge_issues (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  channel     TEXT NOT NULL,
  recharge    TEXT NOT NULL,                  -- order number as the channel said it
  what        TEXT NOT NULL,
  fen         INTEGER NOT NULL,               -- that it is about
  found_at    INTEGER NOT NULL,
  resolved_at INTEGER,
  resolved_by TEXT,
  note        TEXT,
  UNIQUE (kind, channel, recharge, what)
) STRICT;

-- The last comparison of each day of each channel.
CREATE TABLE bills (
  channel      TEXT NOT NULL,
  day          TEXT NOT NULL,
  fetched_at   INTEGER NOT NULL,
  fetched_by   TEXT NOT NULL,
  lines        INTEGER NOT NULL,
  paid_fen     INTEGER NOT NULL,
  refunded_fen INTEGER NOT NULL,
  matched      INTEGER NOT NULL,
  recovered    INTEGER NOT NULL,              -- credited because of the bill
  PRIMARY KEY (channel, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE bill_differences (
  channel  TEXT NOT NULL,
  day      TEXT NOT NULL,
  kind     TEXT NOT NULL,                     -- missing_here, missing_there, differs
  recharge TEXT NOT NULL,
  trade    TEXT NOT NULL,
  bill_fen INTEGER NOT NULL,                  -- 0 = not in the bill
  our_fen  INTEGER NOT NULL,                  -- 0 = not here
  PRIMARY KEY (channel, day, kind, recharge, trade)
) STRICT, WITHOUT ROWID;

-- The books of the built-in test channel.
CREATE TABLE trial_orders (
  id        TEXT PRIMARY KEY,
  fen       INTEGER NOT NULL,
  paid_at   INTEGER,
  failed_at INTEGER,
  closed_at INTEGER
) STRICT, WITHOUT ROWID;

-- Shifts of the cash desk. Expected, counted and the difference are facts of
-- the close, whatever the ledger says later.
CREATE TABLE cash_shifts (
  id             INTEGER PRIMARY KEY,
  clerk          TEXT NOT NULL,
  float_fen      INTEGER NOT NULL,
  opened_at      INTEGER NOT NULL,
  closed_at      INTEGER,
  expected_fen   INTEGER,
  counted_fen    INTEGER,
  difference_fen INTEGER
) STRICT;
CREATE UNIQUE INDEX cash_shifts_open ON cash_shifts (clerk) WHERE closed_at IS NULL;

CREATE TABLE cash_moves (
  id      TEXT PRIMARY KEY,                   -- made by the desk
  shift   INTEGER NOT NULL REFERENCES cash_shifts (id),
  kind    TEXT NOT NULL,                      -- cash, payout
  account INTEGER NOT NULL,
  fen     INTEGER NOT NULL CHECK (fen > 0),
  balance INTEGER NOT NULL,                   -- of the card after it
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cash_moves_shift ON cash_moves (shift, at);

CREATE TABLE utility_payments (
  id          TEXT PRIMARY KEY,               -- the number that the meter's system knows
  person      TEXT NOT NULL,
  key         TEXT NOT NULL,                  -- made by the asker
  account     INTEGER NOT NULL,
  kind        TEXT NOT NULL,                  -- electricity, hot_water
  meter       TEXT NOT NULL,
  room        TEXT NOT NULL,
  fen         INTEGER NOT NULL CHECK (fen > 0),
  created_at  INTEGER NOT NULL,
  tries       INTEGER NOT NULL DEFAULT 0,
  try_at      INTEGER,                        -- next; null = it is known what became of it
  done_at     INTEGER,
  reversed_at INTEGER,
  UNIQUE (person, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX utility_payments_try ON utility_payments (try_at) WHERE try_at IS NOT NULL;
CREATE INDEX utility_payments_mine ON utility_payments (person, created_at);

-- The built-in test meters, and what was credited to them.
CREATE TABLE trial_meters (
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  room    TEXT NOT NULL,
  person  TEXT NOT NULL,
  fen     INTEGER NOT NULL,                   -- prepaid and not used
  reading INTEGER NOT NULL,                   -- Wh, or ml
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE trial_credits (
  id    TEXT PRIMARY KEY,
  kind  TEXT NOT NULL,
  meter TEXT NOT NULL,
  fen   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
