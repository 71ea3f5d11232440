-- compatible from: 10
-- What waits for more than its turn, by its reason.

CREATE INDEX targets_held ON targets (error_code, due_at) WHERE status = 'queued' AND error_code <> '';
