-- compatible from: 10
-- Threads: who writes with one of our numbers.

-- The id comes of the customer, the number and the peer: see conversations.py. `last_id`: of its last message, by which
-- lists go; before the first one, an id of the moment when it was opened.
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    own TEXT NOT NULL,
    peer TEXT NOT NULL,
    owner_type TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    unread_count BIGINT NOT NULL,
    last_id TEXT NOT NULL,
    tm_last_message BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX conversations_last ON conversations (customer_id, last_id);
CREATE INDEX conversations_peer ON conversations (customer_id, peer);
