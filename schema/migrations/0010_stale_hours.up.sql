-- Read by every request, for one organization: the sorting key is the question. Steps rise with every write, so the row of the least
-- hour, which is in every block that marks or unmarks, tells whether anything of the organization has changed since. Small granules,
-- because that row is what is read most.
CREATE TABLE IF NOT EXISTS stale_hours
(
    org_id   LowCardinality(String)  COMMENT 'Organization.',
    hour     Int32                   COMMENT 'Hours since 1970-01-01 00:00 UTC; the least Int32 stands for the organization itself: its step is that of the last change.',
    step     UInt64                  COMMENT 'Step of the loader that marked or unmarked the hour.',
    is_fresh UInt8                   COMMENT '1: the cells and the activity of the hour are right again; FINAL hides the row.'
)
ENGINE = ReplacingMergeTree(step, is_fresh)
ORDER BY (org_id, hour)
SETTINGS index_granularity = 64, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Hours of organizations whose cells and activity may be wrong just now: readers take them from messages. Read it with FINAL.';
