-- What a till knows and takes. Money is fen.

-- 1 where the cards in the list below are complete as of the cursor.
ALTER TABLE snapshot ADD COLUMN cards INTEGER NOT NULL DEFAULT 0;

ALTER TABLE guards ADD COLUMN supervisor INTEGER NOT NULL DEFAULT 0;

-- Cards that are not in order, or had credentials withdrawn.
CREATE TABLE cards (
  account BLOB NOT NULL, -- 8 bytes, big-endian
  gen     INTEGER NOT NULL,
  gone    INTEGER NOT NULL,
  state   TEXT NOT NULL,
  epoch   INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  expires INTEGER NOT NULL, -- seconds
  PRIMARY KEY (account, gen)
) STRICT, WITHOUT ROWID;

-- The rules of this till.
CREATE TABLE till (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  body BLOB NOT NULL -- JSON
) STRICT;

-- What was asked about money, JSON; null where it was a pass.
ALTER TABLE claims ADD COLUMN charge BLOB;

-- Accepted charges and voids. fen is below zero in a void; flow and sum_fen are
-- those of the event. stands: a charge that was not voided.
CREATE TABLE charges (
  seq     INTEGER PRIMARY KEY,
  account BLOB NOT NULL,
  pass    BLOB NOT NULL,
  phone   BLOB NOT NULL,
  counter INTEGER NOT NULL, -- two's complement
  at      INTEGER NOT NULL,
  day     TEXT NOT NULL,
  period  TEXT NOT NULL,
  batch   INTEGER NOT NULL,
  fen     INTEGER NOT NULL,
  offline INTEGER NOT NULL,
  stands  INTEGER NOT NULL,
  flow    INTEGER NOT NULL,
  sum_fen INTEGER NOT NULL
) STRICT;
CREATE INDEX charges_account ON charges (account, seq) WHERE stands = 1;
CREATE INDEX charges_batch ON charges (batch, seq);

-- The last one is open, or none is.
CREATE TABLE batches (
  number    INTEGER PRIMARY KEY,
  opened_at INTEGER NOT NULL,
  opened_by TEXT NOT NULL,
  closed_at INTEGER,
  closed_by TEXT NOT NULL,
  charges   INTEGER NOT NULL,
  voids     INTEGER NOT NULL,
  total_fen INTEGER NOT NULL,
  flow      INTEGER NOT NULL,
  sum_fen   INTEGER NOT NULL
) STRICT;
