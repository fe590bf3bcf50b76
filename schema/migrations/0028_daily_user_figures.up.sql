-- From the messages and not from user_activity, for the reason of daily_figures.
CREATE VIEW IF NOT EXISTS daily_user_figures
(
    org_id             LowCardinality(String)  COMMENT 'Organization.',
    user_id            String                  COMMENT 'User.',
    day                Date32                  COMMENT 'Day, in UTC.',
    conversation_count UInt64                  COMMENT 'Distinct conversations with a message on the day.',
    message_count      UInt64                  COMMENT 'Messages, of every role.',
    tool_calls         UInt64                  COMMENT 'Tool invocations.',
    total_tokens       UInt64                  COMMENT 'Total tokens of the messages.',
    input_tokens       UInt64                  COMMENT 'Input tokens of the messages.',
    output_tokens      UInt64                  COMMENT 'Output tokens of the messages.',
    unique_agents      UInt64                  COMMENT 'Distinct agents of those conversations; no agent is not an agent.',
    total_feedback     UInt64                  COMMENT 'Feedback given to the messages: helpful and not helpful together.',
    total_helpful      UInt64                  COMMENT 'Feedback "helpful".',
    total_not_helpful  UInt64                  COMMENT 'Feedback "not_helpful".'
)
SQL SECURITY INVOKER
AS SELECT
    org_id,
    user_id,
    toDate32(created_at)                   AS day,
    groupBitmap(conversation_no)           AS conversation_count,
    count()                                AS message_count,
    sum(messages.tool_calls)               AS tool_calls,
    sum(messages.total_tokens)             AS total_tokens,
    sum(messages.input_tokens)             AS input_tokens,
    sum(messages.output_tokens)            AS output_tokens,
    groupBitmapIf(agent_no, agent_no != 0) AS unique_agents,
    total_helpful + total_not_helpful      AS total_feedback,
    sum(helpful)                           AS total_helpful,
    sum(not_helpful)                       AS total_not_helpful
FROM messages FINAL
GROUP BY org_id, user_id, day
COMMENT 'Figures of every day, in UTC, by organization and user; days without messages have no row. Counts of different users or days must not be added up where they are of distinct things.';
