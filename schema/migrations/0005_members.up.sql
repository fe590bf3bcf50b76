-- Sorted by what a member is: one per user and organization. Neither part can change without being another member.
CREATE TABLE IF NOT EXISTS members
(
    org_id               LowCardinality(String)                COMMENT 'Organization.',
    user_id              String                                COMMENT 'User.',
    user_no              UInt32                                COMMENT 'Dense number of the user within the organization (table users).',
    metadata             String                                COMMENT 'The user''s public metadata in this organization, a JSON object.',
    metadata_paths       Array(String)                         COMMENT 'Every path of the metadata that has a value which is not null, nested objects joined with dots.',
    metadata_pair_paths  Array(String)                         COMMENT 'Paths of the scalars, in step with metadata_pair_values.',
    metadata_pair_values Array(String)                         COMMENT 'The scalars as text, in step with metadata_pair_paths.',
    updated_at           DateTime64(3, 'UTC')                  COMMENT 'Version of the record at its source: the greatest wins.',
    deleted_at           Nullable(DateTime64(3, 'UTC'))        COMMENT 'When the membership ended; NULL: it did not.',
    version              UInt64                                COMMENT 'Number of the batch that wrote the row; FINAL keeps the greatest.',
    is_deleted           UInt8                                 COMMENT '1: FINAL hides the row, because the membership ended.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, user_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Replica of the organizations'' members, one row per user and organization. Read it with FINAL.';
