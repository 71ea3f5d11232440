-- compatible from: 10
-- Media that customers have uploaded, and by what their contents are reached from outside.

-- The newest signs from `tm_signs` on, when all nodes have read it; the others are believed for as long as what they
-- have signed is good.
CREATE TABLE media_keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    tm_create BIGINT NOT NULL,
    tm_signs BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE media_links (
    code TEXT PRIMARY KEY,
    tm_expire BIGINT NOT NULL,
    digest TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX media_links_expire ON media_links (tm_expire);

-- The content is on the disk, under its digest; several uploads may have the same.
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    type TEXT NOT NULL,
    size BIGINT NOT NULL,
    name TEXT NOT NULL,
    tm_create BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX uploads_customer ON uploads (customer_id, id);
