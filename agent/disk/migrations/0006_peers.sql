-- Who stands for which gate, so that gates can ask each other directly.
CREATE TABLE peers (
  gate INTEGER PRIMARY KEY,
  body BLOB NOT NULL -- JSON
) STRICT;
