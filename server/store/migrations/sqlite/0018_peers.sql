-- Where other gates may ask an agent directly, as it says itself: JSON, a list of
-- host:port.
ALTER TABLE agents ADD COLUMN addresses TEXT NOT NULL DEFAULT '[]';

-- Who decides a pass that was moved; epoch counts its moves.
CREATE TABLE ownerships (
  pass        BLOB PRIMARY KEY,
  gate        INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  agent_epoch INTEGER NOT NULL,   -- of the gate's agent that it was moved to
  moved_at    INTEGER NOT NULL,
  expires     INTEGER NOT NULL    -- seconds
) STRICT, WITHOUT ROWID;

-- Moves that an owner was asked for. released_at: it has given the pass up.
CREATE TABLE moves (
  id          TEXT PRIMARY KEY,
  pass        BLOB NOT NULL,
  from_gate   INTEGER NOT NULL,
  to_gate     INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  agent_epoch INTEGER NOT NULL,
  asked_at    INTEGER NOT NULL,
  asked_by    TEXT NOT NULL,
  released_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX moves_pass ON moves (pass, asked_at);

CREATE INDEX events_given_up ON events (pass) WHERE type = 'release';
