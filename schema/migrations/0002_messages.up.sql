-- Sorted by organization and time, so that a window of one organization is one range of the key; the id makes the key a
-- message's own. There are no partitions: a message that moves is buried at its old key and written at its new one in
-- one block, and a block is atomic only within a partition. Granules are small, because the ragged ends of a window are short.
CREATE TABLE IF NOT EXISTS messages
(
    org_id          LowCardinality(String)                     COMMENT 'Organization of the conversation; empty: the message waits for a conversation that is not known yet (is_deleted is 1 then).',
    created_at      DateTime64(3, 'UTC')                       COMMENT 'When the message was created; it counts in the windows that hold this instant.' CODEC(Delta, LZ4),
    id              String                                     COMMENT 'Message id.',
    conversation_id String                                     COMMENT 'Conversation of the message; empty: the message moved away from this key.',
    conversation_no UInt32                                     COMMENT 'Dense number of the conversation within its organization.',
    user_id         String                                     COMMENT 'User of the conversation.',
    user_no         UInt32                                     COMMENT 'Dense number of that user within the organization (table users).',
    agent_id        LowCardinality(String)                     COMMENT 'Agent of the conversation; empty: no agent.',
    agent_no        UInt32                                     COMMENT 'Dense number of that agent within the organization (table agents); 0: no agent.',
    role            LowCardinality(String)                     COMMENT 'Who speaks: user, assistant, system, tool, …',
    tool_calls      UInt32                                     COMMENT 'Tool invocations in the message.',
    input_tokens    UInt32                                     COMMENT 'Input (prompt) tokens used.',
    output_tokens   UInt32                                     COMMENT 'Output (completion) tokens used.',
    total_tokens    UInt32                                     COMMENT 'Total tokens as reported, or the sum of input and output where no total was.',
    helpful         UInt32                                     COMMENT 'Feedback "helpful" given to the message.',
    not_helpful     UInt32                                     COMMENT 'Feedback "not_helpful" given to the message.',
    updated_at      DateTime64(3, 'UTC')                       COMMENT 'Version of the record at its source: the greatest wins.' CODEC(Delta, LZ4),
    deleted_at      Nullable(DateTime64(3, 'UTC'))             COMMENT 'When the message itself was deleted; NULL: it was not.',
    version         UInt64                                     COMMENT 'Number of the batch that wrote the row; FINAL keeps the greatest.',
    is_deleted      UInt8                                      COMMENT '1: FINAL hides the row: the message or its conversation is deleted, or it waits, or it moved away from this key.',
    INDEX by_conversation conversation_id TYPE bloom_filter(0.01) GRANULARITY 8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, created_at, id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Replica of the messages, one row each, with what the figures need of the conversation. Read it with FINAL.';
