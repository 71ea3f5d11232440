-- compatible from: 6
-- What a message asks for besides its text, what its customer always asks for, and what a carrier can be asked about.

-- JSON, see messages/options.py; NULL where nothing was asked for.
ALTER TABLE messages ADD COLUMN options TEXT;
ALTER TABLE customers ADD COLUMN smart_encoding BIGINT NOT NULL DEFAULT 0 CHECK (smart_encoding IN (0, 1));

-- While sent: what the carrier calls its segments, as JSON, where it can still be asked about them (query_sm).
ALTER TABLE targets ADD COLUMN names TEXT;
