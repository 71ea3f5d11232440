-- compatible from: 10
-- Nodes that share a store look for what of a message was not tried before an event of it.

CREATE INDEX events_untried ON events (message_id, id) WHERE status = 'pending' AND attempts = 0;
