-- Read since a step, by whoever remembers what it has read: the sorting key is the question. Such a look reads the last rows only, so
-- granules are small: a row may name thousands of hours. What is written to stale_hours is written here, too, in one block with the
-- same step. Nobody remembers anything for a day without a look, so older rows go; stale_hours remembers the last step.
CREATE TABLE IF NOT EXISTS changes
(
    step       UInt64                              COMMENT 'Step of the loader, as in stale_hours.',
    org_id     LowCardinality(String)              COMMENT 'Organization; empty in rows of kind opened.',
    kind       Enum8('messages' = 1, 'members' = 2, 'files' = 3, 'written' = 4, 'computed' = 5, 'opened' = 6)
        COMMENT 'messages, members, files: what is going to be written. written: all of it is. computed: the hours are not stale anymore. opened: a loader has started.',
    hours      Array(Int32)                        COMMENT 'Of kinds messages and computed: hours since 1970-01-01 00:00 UTC, sorted; also those that were stale already.' CODEC(Delta, ZSTD(1)),
    written_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When the row was written; it is kept for a day.'
)
ENGINE = MergeTree
ORDER BY step
TTL toDateTime(written_at) + INTERVAL 1 DAY
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Log of the changes of organizations, in the order of their steps, one row for each organization and kind.';
