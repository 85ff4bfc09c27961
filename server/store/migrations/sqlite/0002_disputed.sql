-- Few rows: an opinion may change when something about its pass comes to light
-- later, and people look at these.
CREATE INDEX events_disputed ON events (pass, reason, opinion) WHERE opinion <> reason;
