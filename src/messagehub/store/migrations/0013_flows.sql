-- compatible from: 10
-- Flows, those that run, and by which words of a number they begin.

-- With rowids, as these rows are long.
CREATE TABLE flows (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    actions TEXT NOT NULL,
    on_complete_flow_id TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL
);

CREATE INDEX flows_of_customer ON flows (customer_id, id);

-- `state` is JSON: where it is, its variables, what it did. `due_at` is when something is to be done, NULL when nothing
-- is; while a request to the outside is under way it is a lease, and `leased` is 1. `version` grows with each change.
-- One that has ended may have somebody to tell yet.
CREATE TABLE activeflows (
    id TEXT NOT NULL PRIMARY KEY,
    customer_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'ended')),
    reference_type TEXT NOT NULL,
    reference_id TEXT NOT NULL,
    number TEXT NOT NULL,
    person TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    due_at BIGINT,
    leased BIGINT NOT NULL CHECK (leased IN (0, 1)),
    is_waiting BIGINT NOT NULL CHECK (is_waiting IN (0, 1)),
    end_reason TEXT NOT NULL,
    end_detail TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_update BIGINT NOT NULL,
    tm_delete BIGINT NOT NULL,
    CHECK (status = 'running' OR is_waiting = 0)
);

CREATE INDEX activeflows_of_customer ON activeflows (customer_id, id);
CREATE INDEX activeflows_of_flow ON activeflows (customer_id, flow_id, id);
CREATE INDEX activeflows_running ON activeflows (customer_id, id) WHERE status = 'running';
CREATE INDEX activeflows_due ON activeflows (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX activeflows_waiting ON activeflows (person, number, id) WHERE is_waiting = 1;

-- How many messages of one person were answered by flows, since when.
CREATE TABLE flow_answers (
    number TEXT NOT NULL,
    person TEXT NOT NULL,
    count BIGINT NOT NULL,
    tm_begin BIGINT NOT NULL,
    PRIMARY KEY (number, person)
) WITHOUT ROWID;

CREATE INDEX flow_answers_begin ON flow_answers (tm_begin);

-- JSON: words and patterns, and the flow of each; empty for none.
ALTER TABLE numbers ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
