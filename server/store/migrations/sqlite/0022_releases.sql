-- Signed releases of the agents' program, and to which gates each is offered. The
-- programs themselves are files, by hash.
CREATE TABLE releases (
  sha256     TEXT PRIMARY KEY,
  signed     BLOB NOT NULL,      -- the manifest, which says all the rest
  os         TEXT NOT NULL,
  arch       TEXT NOT NULL,
  serial     INTEGER NOT NULL,
  added_at   INTEGER NOT NULL,
  added_by   TEXT NOT NULL,
  reach      TEXT NOT NULL,      -- nobody, chosen or all
  gates      TEXT NOT NULL,      -- JSON, of chosen
  paused     INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,   -- of these three
  changed_by TEXT NOT NULL,
  UNIQUE (os, arch, serial)
) STRICT, WITHOUT ROWID;
