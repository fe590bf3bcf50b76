-- A source deletes a membership by the key of its row, which is not the member's own. The index finds the member by it; members are
-- few, so that a table sorted by the key would only be one more thing to keep in step.
ALTER TABLE members
    ADD COLUMN IF NOT EXISTS log_position UInt64 COMMENT 'Place of the version in the log of the source, which goes before updated_at: the greatest wins; 0: the record came from a file.' AFTER deleted_at,
    ADD COLUMN IF NOT EXISTS source_key   String COMMENT 'Key of the row of the source that gave the member; empty: the record came from a file.' AFTER log_position,
    ADD INDEX IF NOT EXISTS by_source_key source_key TYPE bloom_filter(0.01) GRANULARITY 1;
