-- compatible from: 10
-- How many messages of one person were answered by flows within a day, beside those within minutes.

ALTER TABLE flow_answers ADD COLUMN day_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE flow_answers ADD COLUMN tm_day BIGINT NOT NULL DEFAULT 0;
