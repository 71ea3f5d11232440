-- compatible from: 10
-- What waits for more than its turn, by its reason; and what went out by a number of a pool.

CREATE INDEX targets_held ON targets (error_code, due_at) WHERE status = 'queued' AND error_code <> '';
CREATE INDEX targets_own_source ON targets (customer_id, own_source, message_id) WHERE own_source IS NOT NULL;
