-- People who want no messages, what they have agreed to, and what customers wish for their dealings with them.
-- Programs that know none of this are barred: they would write to people who are out.

-- JSON, see accounts/manners.py.
ALTER TABLE customers ADD COLUMN manners TEXT NOT NULL DEFAULT '{}';

-- Numbers of a group share their opt-outs. The next two are JSON.
ALTER TABLE numbers ADD COLUMN sender_group TEXT NOT NULL DEFAULT '';
ALTER TABLE numbers ADD COLUMN ignored_keywords TEXT NOT NULL DEFAULT '[]';
ALTER TABLE numbers ADD COLUMN opt_out_replies TEXT NOT NULL DEFAULT '{}';

-- How things stand with a person: what the last of its events says. It is found by the address for each message.
CREATE TABLE opt_outs (
    customer_id TEXT NOT NULL,
    address TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('opted_out', 'probable', 'opted_in')),
    source TEXT NOT NULL CHECK (source IN ('', 'keyword', 'probable', 'api', 'import', 'carrier')),
    tm_said BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    PRIMARY KEY (customer_id, address, scope)
) WITHOUT ROWID;
CREATE UNIQUE INDEX opt_outs_by_id ON opt_outs (id);
CREATE INDEX opt_outs_by_status ON opt_outs (customer_id, status, id);
CREATE INDEX opt_outs_by_scope ON opt_outs (customer_id, scope, status, id);
CREATE INDEX opt_outs_by_change ON opt_outs (tm_update);

-- The ledger: what was said, by whom and when. Rows are added, and never changed or removed.
CREATE TABLE opt_out_events (
    opt_out_id TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('opted_out', 'probable', 'opted_in')),
    source TEXT NOT NULL CHECK (source IN ('keyword', 'probable', 'api', 'import', 'carrier')),
    message_id TEXT NOT NULL,
    words TEXT NOT NULL,
    actor TEXT NOT NULL,
    tm_said BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    PRIMARY KEY (opt_out_id, id)
) WITHOUT ROWID;

-- When a person was told so, and when that may be told again: robots that answer each other end here.
CREATE TABLE notices (
    customer_id TEXT NOT NULL,
    number TEXT NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_again BIGINT NOT NULL,
    PRIMARY KEY (customer_id, number, address, kind)
) WITHOUT ROWID;
CREATE INDEX notices_by_time ON notices (tm_again);

CREATE TABLE consents (
    customer_id TEXT NOT NULL,
    address TEXT NOT NULL,
    id TEXT NOT NULL,
    scope TEXT NOT NULL,
    method TEXT NOT NULL,
    words TEXT NOT NULL,
    evidence TEXT NOT NULL,
    ip TEXT NOT NULL,
    actor TEXT NOT NULL,
    tm_given BIGINT NOT NULL,
    tm_create BIGINT NOT NULL,
    -- Written once, when it is withdrawn.
    tm_withdraw BIGINT NOT NULL,
    withdrawn_by TEXT NOT NULL,
    withdrawn_words TEXT NOT NULL,
    PRIMARY KEY (customer_id, address, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX consents_by_id ON consents (id);
CREATE INDEX consents_by_customer ON consents (customer_id, id);

-- What a customer knows of a person besides the number.
CREATE TABLE contacts (
    customer_id TEXT NOT NULL,
    address TEXT NOT NULL,
    id TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    PRIMARY KEY (customer_id, address)
) WITHOUT ROWID;
CREATE UNIQUE INDEX contacts_by_id ON contacts (id);
CREATE INDEX contacts_by_customer ON contacts (customer_id, id);
