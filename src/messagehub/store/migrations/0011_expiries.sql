-- compatible from: 10
-- Messages that are good for a while only.

-- A row for each message of which something may still wait when its time is over; `due_at`: when to look at it next.
CREATE TABLE expiries (
    message_id TEXT PRIMARY KEY,
    due_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX expiries_due ON expiries (due_at);
