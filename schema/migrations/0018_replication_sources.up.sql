-- One row a source, replaced after every batch: what it says was taken is in the replicas. Sorted by the slot, by which a source is known.
CREATE TABLE IF NOT EXISTS replication_sources
(
    slot              String                     COMMENT 'Replication slot in PostgreSQL.',
    system_identifier String                     COMMENT 'Identifier of the cluster; another one means another history.',
    timeline          UInt32                     COMMENT 'Timeline of the cluster: it rises when a standby is promoted.',
    base              UInt64                     COMMENT 'Added to a place in the cluster''s log to give log_position, so that this never falls when a log starts anew.',
    confirmed         UInt64                     COMMENT 'Place in the cluster''s log up to which every committed change is in the replicas.',
    committed_at      DateTime64(3, 'UTC')       COMMENT 'When the last change that was taken was committed.',
    taken_at          DateTime64(3, 'UTC')       COMMENT 'When the row was written.',
    step              UInt64                     COMMENT 'Rises with every write; FINAL keeps the greatest.'
)
ENGINE = ReplacingMergeTree(step)
ORDER BY slot
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'How far each source was replicated. Read it with FINAL.';
