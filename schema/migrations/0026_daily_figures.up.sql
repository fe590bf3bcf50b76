-- From the replicas and not from stats_cells: the figures are exact at every moment, and one statement can't tell whether the loader
-- changes cells between its look at stale_hours and its look at stats_cells. Distinct counts are cardinalities of bitmaps of dense
-- numbers, which are exact. The day is a Date32, which holds every day of the records, and through which conditions on it reach the
-- sorting keys. A day has one row at most in each half, so that the sum of the halves is one of them and zero.
CREATE VIEW IF NOT EXISTS daily_figures
(
    org_id                   LowCardinality(String)  COMMENT 'Organization.',
    day                      Date32                  COMMENT 'Day, in UTC.',
    conversation_count       UInt64                  COMMENT 'Distinct conversations with a message on the day.',
    message_count            UInt64                  COMMENT 'Messages, of every role.',
    tool_calls               UInt64                  COMMENT 'Tool invocations.',
    total_tokens             UInt64                  COMMENT 'Total tokens of the messages.',
    input_tokens             UInt64                  COMMENT 'Input tokens of the messages.',
    output_tokens            UInt64                  COMMENT 'Output tokens of the messages.',
    unique_users             UInt64                  COMMENT 'Distinct users of those conversations.',
    unique_agents            UInt64                  COMMENT 'Distinct agents of those conversations; no agent is not an agent.',
    total_feedback           UInt64                  COMMENT 'Feedback given to the messages: helpful and not helpful together.',
    total_helpful            UInt64                  COMMENT 'Feedback "helpful".',
    total_not_helpful        UInt64                  COMMENT 'Feedback "not_helpful".',
    kb_file_count            UInt64                  COMMENT 'Processed knowledge-base files of the day.',
    kb_count                 UInt64                  COMMENT 'Distinct knowledge bases of those files.',
    kb_extract_total_tokens  UInt64                  COMMENT 'Total tokens of the extraction of those files.',
    kb_extract_input_tokens  UInt64                  COMMENT 'Input tokens of the extraction of those files.',
    kb_extract_output_tokens UInt64                  COMMENT 'Output tokens of the extraction of those files.'
)
SQL SECURITY INVOKER
AS SELECT
    org_id,
    day,
    sum(halves.conversation_count)       AS conversation_count,
    sum(halves.message_count)            AS message_count,
    sum(halves.tool_calls)               AS tool_calls,
    sum(halves.total_tokens)             AS total_tokens,
    sum(halves.input_tokens)             AS input_tokens,
    sum(halves.output_tokens)            AS output_tokens,
    sum(halves.unique_users)             AS unique_users,
    sum(halves.unique_agents)            AS unique_agents,
    sum(halves.total_feedback)           AS total_feedback,
    sum(halves.total_helpful)            AS total_helpful,
    sum(halves.total_not_helpful)        AS total_not_helpful,
    sum(halves.kb_file_count)            AS kb_file_count,
    sum(halves.kb_count)                 AS kb_count,
    sum(halves.kb_extract_total_tokens)  AS kb_extract_total_tokens,
    sum(halves.kb_extract_input_tokens)  AS kb_extract_input_tokens,
    sum(halves.kb_extract_output_tokens) AS kb_extract_output_tokens
FROM
(
    SELECT
        org_id,
        toDate32(created_at)                   AS day,
        groupBitmap(conversation_no)           AS conversation_count,
        count()                                AS message_count,
        sum(messages.tool_calls)               AS tool_calls,
        sum(messages.total_tokens)             AS total_tokens,
        sum(messages.input_tokens)             AS input_tokens,
        sum(messages.output_tokens)            AS output_tokens,
        groupBitmap(user_no)                   AS unique_users,
        groupBitmapIf(agent_no, agent_no != 0) AS unique_agents,
        total_helpful + total_not_helpful      AS total_feedback,
        sum(helpful)                           AS total_helpful,
        sum(not_helpful)                       AS total_not_helpful,
        0                                      AS kb_file_count,
        0                                      AS kb_count,
        0                                      AS kb_extract_total_tokens,
        0                                      AS kb_extract_input_tokens,
        0                                      AS kb_extract_output_tokens
    FROM messages FINAL
    GROUP BY org_id, day
    UNION ALL
    SELECT
        org_id,
        toDate32(processed_at)       AS day,
        0                            AS conversation_count,
        0                            AS message_count,
        0                            AS tool_calls,
        0                            AS total_tokens,
        0                            AS input_tokens,
        0                            AS output_tokens,
        0                            AS unique_users,
        0                            AS unique_agents,
        0                            AS total_feedback,
        0                            AS total_helpful,
        0                            AS total_not_helpful,
        count()                      AS kb_file_count,
        uniqExact(knowledge_base_id) AS kb_count,
        sum(kb_files.total_tokens)   AS kb_extract_total_tokens,
        sum(kb_files.input_tokens)   AS kb_extract_input_tokens,
        sum(kb_files.output_tokens)  AS kb_extract_output_tokens
    FROM kb_files FINAL
    WHERE processing_status IN ('', 'completed')
    GROUP BY org_id, day
) AS halves
GROUP BY org_id, day
COMMENT 'Figures of every day, in UTC, by organization; days without messages and files have no row. Counts of different days must not be added up where they are of distinct things: figures_in_window counts them over several.';
