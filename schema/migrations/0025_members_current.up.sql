CREATE VIEW IF NOT EXISTS members_current
(
    org_id               LowCardinality(String)  COMMENT 'Organization.',
    user_id              String                  COMMENT 'User.',
    metadata             String                  COMMENT 'The user''s public metadata in this organization, a JSON object.',
    metadata_paths       Array(String)           COMMENT 'Every path of the metadata that has a value which is not null, nested objects joined with dots.',
    metadata_pair_paths  Array(String)           COMMENT 'Paths of the scalars, in step with metadata_pair_values.',
    metadata_pair_values Array(String)           COMMENT 'The scalars as text, in step with metadata_pair_paths.',
    updated_at           DateTime64(3, 'UTC')    COMMENT 'Version of the record at its source.'
)
SQL SECURITY INVOKER
AS SELECT org_id, user_id, metadata, metadata_paths, metadata_pair_paths, metadata_pair_values, updated_at
FROM members FINAL
COMMENT 'The members that organizations have now: one row per user and organization, without ended memberships.';
