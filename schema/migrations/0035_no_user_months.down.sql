CREATE TABLE IF NOT EXISTS user_months
(
    org_id           LowCardinality(String)                    COMMENT 'Organization.',
    user_no          UInt32                                    COMMENT 'Dense number of the user (table users).',
    month            DateTime64(3, 'UTC')                      COMMENT 'Start of the month, in UTC.',
    conversation_nos Array(UInt32)                             COMMENT 'Dense numbers of the conversations, sorted.',
    agent_nos        Array(UInt32)                             COMMENT 'Dense numbers of their agents (table agents), sorted; 0 stands for conversations without one.',
    message_count    UInt64                                    COMMENT 'Messages.',
    tool_calls       UInt64                                    COMMENT 'Tool invocations.',
    input_tokens     UInt64                                    COMMENT 'Input tokens.',
    output_tokens    UInt64                                    COMMENT 'Output tokens.',
    total_tokens     UInt64                                    COMMENT 'Total tokens.',
    helpful          UInt64                                    COMMENT 'Feedback "helpful".',
    not_helpful      UInt64                                    COMMENT 'Feedback "not_helpful".',
    version          UInt64                                    COMMENT 'Step of the loader that wrote the row; FINAL keeps the greatest.',
    is_deleted       UInt8                                     COMMENT '1: FINAL hides the row: no message is left.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, user_no, month)
SETTINGS index_granularity = 128, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Figures of the messages by organization, user and month, computed from user_activity. Read it with FINAL, and only where no hour is stale.';
