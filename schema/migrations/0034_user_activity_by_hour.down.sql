CREATE OR REPLACE TABLE user_activity
(
    org_id          LowCardinality(String)                     COMMENT 'Organization.',
    user_no         UInt32                                     COMMENT 'Dense number of the user (table users).',
    day             DateTime64(3, 'UTC') COMMENT 'Start of the day, in UTC.' CODEC(Delta, ZSTD(1)),
    month           DateTime64(3, 'UTC') MATERIALIZED makeDateTime64(toYear(day), toMonth(day), 1, 0, 0, 0, 0, 3, 'UTC') COMMENT 'Start of the month, in UTC.',
    conversation_no UInt32                                     COMMENT 'Dense number of the conversation.',
    agent_no        UInt32                                     COMMENT 'Dense number of the agent (table agents); 0: no agent.',
    message_count   UInt32                                     COMMENT 'Messages.',
    tool_calls      UInt64                                     COMMENT 'Tool invocations.',
    input_tokens    UInt64                                     COMMENT 'Input tokens.',
    output_tokens   UInt64                                     COMMENT 'Output tokens.',
    total_tokens    UInt64                                     COMMENT 'Total tokens.',
    helpful         UInt32                                     COMMENT 'Feedback "helpful".',
    not_helpful     UInt32                                     COMMENT 'Feedback "not_helpful".',
    version         UInt64                                     COMMENT 'Step of the loader that wrote the row; FINAL keeps the greatest.',
    is_deleted      UInt8                                      COMMENT '1: FINAL hides the row: no message is left.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, month, user_no, day, conversation_no)
SETTINGS index_granularity = 128, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Figures of the messages by organization, user, day and conversation, computed from messages. Read it with FINAL, and only where no hour is stale.';
