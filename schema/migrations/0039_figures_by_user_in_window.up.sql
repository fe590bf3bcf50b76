-- What getBreakdown answers about users, in all rows. The ends are those of figures_in_window.
CREATE VIEW IF NOT EXISTS figures_by_user_in_window
SQL SECURITY INVOKER
AS WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') + toIntervalMillisecond(match({from:String}, '\\.[0-9]{3}[0-9]*[1-9]')) AS first,
    parseDateTime64BestEffort({to:String}, 3, 'UTC')                                                                           AS last
SELECT
    user_id,
    toUInt64(groupBitmap(conversation_no))           AS conversation_count,
    count()                                          AS message_count,
    sum(messages.tool_calls)                         AS tool_calls,
    sum(messages.total_tokens)                       AS total_tokens,
    sum(messages.input_tokens)                       AS input_tokens,
    sum(messages.output_tokens)                      AS output_tokens,
    toUInt64(groupBitmapIf(agent_no, agent_no != 0)) AS unique_agents,
    total_helpful + total_not_helpful                AS total_feedback,
    sum(helpful)                                     AS total_helpful,
    sum(not_helpful)                                 AS total_not_helpful
FROM messages FINAL
WHERE org_id = {org_id:String}
  AND created_at BETWEEN first AND last
GROUP BY user_id
COMMENT 'The figures of messages in a window, both ends inclusive, by user: figures_by_user_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'').';
