-- What restores and gaps leave behind, and who was erased.

-- The highest epoch that may ever have been given to the gate's agent, where
-- that is not its own: after a restore nobody knows.
ALTER TABLE agents ADD COLUMN spent_epoch INTEGER NOT NULL DEFAULT 0;

-- Agents that may hold admissions which a restored server has yet to hear of.
-- Until they are heard the server decides nothing in their place.
CREATE TABLE unheard (
  agent INTEGER PRIMARY KEY REFERENCES agents (id),
  since INTEGER NOT NULL
) STRICT;

-- Events that nobody has any more: the server lost them and the agent had
-- already forgotten them.
CREATE TABLE gaps (
  agent    INTEGER NOT NULL,
  epoch    INTEGER NOT NULL,
  first    INTEGER NOT NULL,
  last     INTEGER NOT NULL,
  found_at INTEGER NOT NULL,
  PRIMARY KEY (agent, epoch, first)
) STRICT, WITHOUT ROWID;

-- Persons whose data were erased. Their number stays, and means nobody.
CREATE TABLE erasures (
  person    TEXT PRIMARY KEY,
  erased_at INTEGER NOT NULL,
  erased_by TEXT NOT NULL,
  reason    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Passes that still say whom they are for.
CREATE INDEX passes_named ON passes (valid_until) WHERE name <> '';
