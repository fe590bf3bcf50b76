-- What getBreakdown answers about metadata, in all rows. Users without a value are in the row NULL, because an empty text is a value. Who
-- has several values is in the row of each. The ends are those of figures_in_window.
CREATE VIEW IF NOT EXISTS figures_by_metadata_in_window
SQL SECURITY INVOKER
AS WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') + toIntervalMillisecond(match({from:String}, '\\.[0-9]{3}[0-9]*[1-9]')) AS first,
    parseDateTime64BestEffort({to:String}, 3, 'UTC')                                                                           AS last
SELECT
    value,
    toUInt64(groupBitmap(conversation_no))           AS conversation_count,
    count()                                          AS message_count,
    sum(messages.tool_calls)                         AS tool_calls,
    sum(messages.total_tokens)                       AS total_tokens,
    sum(messages.input_tokens)                       AS input_tokens,
    sum(messages.output_tokens)                      AS output_tokens,
    toUInt64(groupBitmap(user_no))                   AS unique_users,
    toUInt64(groupBitmapIf(agent_no, agent_no != 0)) AS unique_agents,
    total_helpful + total_not_helpful                AS total_feedback,
    sum(helpful)                                     AS total_helpful,
    sum(not_helpful)                                 AS total_not_helpful
FROM messages FINAL
LEFT JOIN
(
    SELECT user_no, toNullable(arrayJoin(arrayDistinct(arrayFilter((value, path) -> path = {path:String}, metadata_pair_values, metadata_pair_paths)))) AS value
    FROM members FINAL
    WHERE org_id = {org_id:String}
) AS values_of_users USING (user_no)
WHERE org_id = {org_id:String}
  AND created_at BETWEEN first AND last
GROUP BY value
COMMENT 'The figures of messages in a window, both ends inclusive, by the value that the user''s metadata have at a path; NULL: none: figures_by_metadata_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'', path = ''team'').';
