-- Where other gates may ask an agent directly, as it says itself: JSON, a list of
-- host:port.
ALTER TABLE agents ADD COLUMN addresses TEXT NOT NULL DEFAULT '[]';
