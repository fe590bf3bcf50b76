-- What getBreakdown answers about agents, in all rows. As in the other views, no agent is an empty agent_id and not NULL, so that rows can
-- be joined with theirs by agent_id. The ends are those of figures_in_window.
CREATE VIEW IF NOT EXISTS figures_by_agent_in_window
SQL SECURITY INVOKER
AS WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') + toIntervalMillisecond(match({from:String}, '\\.[0-9]{3}[0-9]*[1-9]')) AS first,
    parseDateTime64BestEffort({to:String}, 3, 'UTC')                                                                           AS last
SELECT
    agent_id,
    toUInt64(groupBitmap(conversation_no)) AS conversation_count,
    count()                                AS message_count,
    sum(messages.tool_calls)               AS tool_calls,
    sum(messages.total_tokens)             AS total_tokens,
    sum(messages.input_tokens)             AS input_tokens,
    sum(messages.output_tokens)            AS output_tokens,
    toUInt64(groupBitmap(user_no))         AS unique_users,
    total_helpful + total_not_helpful      AS total_feedback,
    sum(helpful)                           AS total_helpful,
    sum(not_helpful)                       AS total_not_helpful
FROM messages FINAL
WHERE org_id = {org_id:String}
  AND created_at BETWEEN first AND last
GROUP BY agent_id
COMMENT 'The figures of messages in a window, both ends inclusive, by agent; empty: conversations without one: figures_by_agent_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'').';
