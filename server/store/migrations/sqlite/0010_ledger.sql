-- Money, in fen. Package ledger says what the names and signs mean. The rows of
-- transfers and postings never change, and the triggers see to it. (A trigger
-- on the inserts of transfers would make a charge a third slower.)

-- One row per event of money. seq has no gaps. What the statement of a card
-- shows of it is in line (1, 2, 3 … per card), amount and balance: each balance
-- is the one of the line before plus the amount.
CREATE TABLE transfers (
  seq       INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  kind      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  posted_at INTEGER NOT NULL,
  day       TEXT NOT NULL,                     -- 2006-01-02
  card      INTEGER,                           -- whose statement; NULL = nobody's
  line      INTEGER,
  amount    INTEGER NOT NULL,                  -- what the card's accounts changed by
  balance   INTEGER NOT NULL,                  -- what they came to
  reverses  INTEGER REFERENCES transfers (seq),
  place     TEXT NOT NULL,
  data      TEXT,                              -- JSON
  hash      BLOB NOT NULL,                     -- SHA-256 of the content
  CHECK ((card IS NULL) = (line IS NULL))
) STRICT;
CREATE UNIQUE INDEX transfers_card ON transfers (card, line) WHERE card IS NOT NULL;
CREATE INDEX transfers_day ON transfers (day);
CREATE INDEX transfers_reverses ON transfers (reverses) WHERE reverses IS NOT NULL;

-- balance and postings are those of the last posting, kept so that nobody has to
-- look for it. side: 1 = never below zero, -1 = never above, 0 = either.
CREATE TABLE accounts (
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE,
  side     INTEGER NOT NULL CHECK (side BETWEEN -1 AND 1),
  balance  INTEGER NOT NULL DEFAULT 0,
  postings INTEGER NOT NULL DEFAULT 0,
  CHECK (side * balance >= 0)
) STRICT;

-- Clustered by transfer: rows are only ever added at the end.
CREATE TABLE postings (
  transfer INTEGER NOT NULL REFERENCES transfers (seq),
  line     INTEGER NOT NULL,                   -- 1, 2 … within the transfer
  account  INTEGER NOT NULL REFERENCES accounts (id),
  place    INTEGER NOT NULL,                   -- 1, 2 … within the account
  fen      INTEGER NOT NULL CHECK (fen <> 0),
  balance  INTEGER NOT NULL,                   -- of the account, after it
  PRIMARY KEY (transfer, line)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER postings_follow AFTER INSERT ON postings BEGIN
  UPDATE accounts SET balance = NEW.balance, postings = NEW.place
    WHERE id = NEW.account AND balance + NEW.fen = NEW.balance AND postings + 1 = NEW.place;
  SELECT RAISE(ABORT, 'a posting that does not follow the one before') WHERE changes() <> 1;
END;

CREATE TRIGGER transfers_stay BEFORE UPDATE ON transfers BEGIN SELECT RAISE(ABORT, 'transfers never change'); END;
CREATE TRIGGER transfers_last BEFORE DELETE ON transfers BEGIN SELECT RAISE(ABORT, 'transfers are for ever'); END;
CREATE TRIGGER postings_stay BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings never change'); END;
CREATE TRIGGER postings_last BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are for ever'); END;
CREATE TRIGGER accounts_begin BEFORE INSERT ON accounts WHEN NEW.balance <> 0 OR NEW.postings <> 0
BEGIN SELECT RAISE(ABORT, 'accounts begin with nothing'); END;
CREATE TRIGGER accounts_stay BEFORE UPDATE ON accounts
  WHEN NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.side <> OLD.side OR NEW.postings <> OLD.postings + 1
BEGIN SELECT RAISE(ABORT, 'accounts change by postings only'); END;
CREATE TRIGGER accounts_last BEFORE DELETE ON accounts BEGIN SELECT RAISE(ABORT, 'accounts are for ever'); END;

-- What was promised to tills, and what was refused to them: the answer to an id
-- never changes. ended_at: the charge came, or was given up, or was refused.
CREATE TABLE holds (
  id         TEXT PRIMARY KEY,
  card       INTEGER NOT NULL,
  fen        INTEGER NOT NULL,
  granted    INTEGER NOT NULL,
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_card ON holds (card, fen) WHERE ended_at IS NULL;
CREATE INDEX holds_expiry ON holds (expires_at) WHERE ended_at IS NULL;
CREATE TRIGGER holds_stay BEFORE UPDATE ON holds
  WHEN NEW.id <> OLD.id OR NEW.card <> OLD.card OR NEW.fen <> OLD.fen OR NEW.granted <> OLD.granted OR OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an answer never changes'); END;
CREATE TRIGGER holds_last BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'answers are for ever'); END;

-- Transfers whose id had been posted with other content.
CREATE TABLE transfers_aside (
  transfer TEXT NOT NULL,                      -- its id
  hash     BLOB NOT NULL,
  at       INTEGER NOT NULL,
  body     TEXT NOT NULL,                      -- JSON
  PRIMARY KEY (transfer, hash)
) STRICT, WITHOUT ROWID;

-- What the proofs of the whole ledger found.
CREATE TABLE proofs (
  at     INTEGER PRIMARY KEY,
  faults INTEGER NOT NULL,
  report TEXT NOT NULL                         -- JSON
) STRICT;
