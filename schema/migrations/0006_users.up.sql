-- Sorted by the id, because the loader asks for the number of an id; a number, once given, never changes.
CREATE TABLE IF NOT EXISTS users
(
    org_id  LowCardinality(String)                             COMMENT 'Organization.',
    user_id String                                             COMMENT 'User.',
    user_no UInt32                                             COMMENT 'Dense number of the user within the organization, from 1, in order of appearance.'
)
ENGINE = ReplacingMergeTree
ORDER BY (org_id, user_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Dense numbers of the users who ever had a conversation in an organization, or were a member.';
