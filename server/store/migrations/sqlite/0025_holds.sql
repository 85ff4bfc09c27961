-- Holds that are open are few, and found by holds_card; one index less is written
-- twice for every charge.
DROP INDEX holds_expiry;
