-- Sorted by id alone: the id is the one field of a conversation that never changes, so a later version always meets the row
-- that it replaces, whatever else moved. The loader looks rows up by id, hence the small granules.
CREATE TABLE IF NOT EXISTS conversations
(
    id              String                                     COMMENT 'Conversation id.',
    org_id          LowCardinality(String)                     COMMENT 'Organization that the conversation belongs to.',
    user_id         String                                     COMMENT 'User that the conversation belongs to.',
    agent_id        LowCardinality(String)                     COMMENT 'Agent of the conversation; empty: no agent.',
    conversation_no UInt32                                     COMMENT 'Dense number of the conversation within its organization, from 1, in order of appearance.',
    user_no         UInt32                                     COMMENT 'Dense number of the user within the organization (table users).',
    agent_no        UInt32                                     COMMENT 'Dense number of the agent within the organization (table agents); 0: no agent.',
    created_at      DateTime64(3, 'UTC')                       COMMENT 'When the conversation was created.',
    updated_at      DateTime64(3, 'UTC')                       COMMENT 'Version of the record at its source: the greatest wins.',
    deleted_at      Nullable(DateTime64(3, 'UTC'))             COMMENT 'When the conversation was deleted; NULL: it was not.',
    version         UInt64                                     COMMENT 'Number of the batch that wrote the row; FINAL keeps the greatest.',
    is_deleted      UInt8                                      COMMENT '1: FINAL hides the row, because the conversation is deleted.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY id
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Replica of the conversations, one row each. Read it with FINAL.';
