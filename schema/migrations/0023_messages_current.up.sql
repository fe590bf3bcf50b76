-- Conditions on org_id and created_at reach the sorting key of messages through the view.
CREATE VIEW IF NOT EXISTS messages_current
(
    id              String                  COMMENT 'Message id.',
    org_id          LowCardinality(String)  COMMENT 'Organization of the conversation.',
    conversation_id String                  COMMENT 'Conversation of the message.',
    user_id         String                  COMMENT 'User of the conversation.',
    agent_id        LowCardinality(String)  COMMENT 'Agent of the conversation; empty: no agent.',
    role            LowCardinality(String)  COMMENT 'Who speaks: user, assistant, system, tool, …',
    created_at      DateTime64(3, 'UTC')    COMMENT 'When the message was created; it counts in the windows that hold this instant.',
    updated_at      DateTime64(3, 'UTC')    COMMENT 'Version of the record at its source.',
    tool_calls      UInt32                  COMMENT 'Tool invocations in the message.',
    input_tokens    UInt32                  COMMENT 'Input (prompt) tokens used.',
    output_tokens   UInt32                  COMMENT 'Output (completion) tokens used.',
    total_tokens    UInt32                  COMMENT 'Total tokens as reported, or the sum of input and output where no total was.',
    helpful         UInt32                  COMMENT 'Feedback "helpful" given to the message.',
    not_helpful     UInt32                  COMMENT 'Feedback "not_helpful" given to the message.'
)
SQL SECURITY INVOKER
AS SELECT
    id, org_id, conversation_id, user_id, agent_id, role, created_at, updated_at,
    tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful
FROM messages FINAL
COMMENT 'The messages that count now: one row each, without those that were deleted, whose conversation was deleted, or that wait for it (waiting_messages).';
