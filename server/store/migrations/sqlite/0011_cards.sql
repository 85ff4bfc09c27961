-- Campus cards. Money is in the ledger; here is whose an account is, and what it
-- may do. Amounts are fen; NULL is "as the campus has it".

-- account: pseudonym in codes and in the ledger, random, never used again.
-- display: what people read and type; the last digit is a check digit.
CREATE TABLE cards (
  account          INTEGER PRIMARY KEY CHECK (account > 0),
  display          TEXT NOT NULL UNIQUE,
  person           TEXT NOT NULL REFERENCES persons (id),
  credential       BLOB NOT NULL UNIQUE,      -- signing.PassID of its codes
  epoch            INTEGER NOT NULL,          -- codes of a lower one are withdrawn
  epoch_at         INTEGER NOT NULL,
  opened_at        INTEGER NOT NULL,
  bound_at         INTEGER,                   -- by its holder
  lost_at          INTEGER,
  frozen_at        INTEGER,
  freeze_reason    TEXT,
  closed_at        INTEGER,
  state_at         INTEGER NOT NULL,          -- when lost, frozen or closed last changed
  -- the card office's, for this card
  per_tx           INTEGER,
  per_meal         INTEGER,
  per_day          INTEGER,
  offline          INTEGER,
  offline_tx       INTEGER,
  offline_day      INTEGER,
  offline_max      INTEGER,
  -- the holder's own, which only lower
  own_tx           INTEGER,
  own_day          INTEGER,
  own_offline      INTEGER NOT NULL DEFAULT 1,
  own_offline_tx   INTEGER,
  own_offline_day  INTEGER,
  password         BLOB,                      -- sealed: argon2id, and what a phone checks by
  password_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX cards_person ON cards (person) WHERE closed_at IS NULL;

INSERT INTO counters (name, value) VALUES ('cards', 1000000);

-- Each time that a card was reported lost, so that a charge that arrives late
-- can still be held against it.
CREATE TABLE card_losses (
  account INTEGER NOT NULL REFERENCES cards (account),
  lost_at INTEGER NOT NULL,
  over_at INTEGER,
  PRIMARY KEY (account, lost_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE card_nonces (
  nonce      BLOB PRIMARY KEY,
  account    INTEGER NOT NULL REFERENCES cards (account),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One phone key for each epoch of a card.
CREATE TABLE card_phones (
  account     INTEGER NOT NULL REFERENCES cards (account),
  epoch       INTEGER NOT NULL,
  phone       BLOB NOT NULL,                  -- signing.PhoneID
  kid         BLOB NOT NULL,
  enrolled_at INTEGER NOT NULL,
  renewed_at  INTEGER NOT NULL,
  expires     INTEGER NOT NULL,               -- seconds, of the last credential
  PRIMARY KEY (account, epoch)
) STRICT, WITHOUT ROWID;

-- Wrong tries: "bind" of a person, "password" of an account.
CREATE TABLE card_attempts (
  what         TEXT NOT NULL,
  who          TEXT NOT NULL,
  count        INTEGER NOT NULL,
  began_at     INTEGER NOT NULL,
  locked_until INTEGER,
  PRIMARY KEY (what, who)
) STRICT, WITHOUT ROWID;

CREATE TABLE subsidy_batches (
  id           TEXT PRIMARY KEY,              -- made by who asked
  name         TEXT NOT NULL,
  sum          BLOB NOT NULL,                 -- SHA-256 of what was asked for
  expires_on   TEXT NOT NULL,                 -- last day
  expires_at   INTEGER NOT NULL,
  created_by   TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  faulty       INTEGER NOT NULL,              -- rows of the file that were left out
  ready_at     INTEGER,                       -- all its grants are written down
  confirmed_by TEXT,
  confirmed_at INTEGER,
  done_at      INTEGER
) STRICT, WITHOUT ROWID;

-- remaining: what the holder has not spent of it, as of the last grant or expiry
-- of the account. skipped: why there was nothing to grant after all.
CREATE TABLE subsidy_grants (
  batch      TEXT NOT NULL REFERENCES subsidy_batches (id) ON DELETE CASCADE,
  account    INTEGER NOT NULL REFERENCES cards (account),
  fen        INTEGER NOT NULL CHECK (fen > 0),
  remaining  INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL,
  granted_at INTEGER,
  skipped_at INTEGER,
  ended_at   INTEGER,
  PRIMARY KEY (batch, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX subsidy_grants_account ON subsidy_grants (account, expires_at) WHERE granted_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX subsidy_grants_ending ON subsidy_grants (expires_at) WHERE granted_at IS NOT NULL AND ended_at IS NULL;

CREATE TABLE disputes (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account    INTEGER NOT NULL,
  transfer   TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL,                   -- who raised it: holder, or what the server found
  text       TEXT NOT NULL,
  opened_at  INTEGER NOT NULL,
  state      TEXT NOT NULL,                   -- open, merchant, holder, dismiss
  decided_at INTEGER,
  decided_by TEXT,
  decision   TEXT
) STRICT;
CREATE INDEX disputes_account ON disputes (account);
CREATE INDEX disputes_open ON disputes (id) WHERE state = 'open';
