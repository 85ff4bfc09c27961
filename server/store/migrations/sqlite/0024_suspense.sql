-- What waits in suspense is found without reading every charge and recharge.
CREATE INDEX charges_suspense ON charges (position) WHERE kind = 'charge' AND suspense_fen > 0 AND voided_by IS NULL;
CREATE INDEX recharges_suspended ON recharges (credited_at) WHERE suspended = 1 AND refunded_at IS NULL;
