-- The figures of one question from the platform's own tables.
--
-- A message counts while it and its conversation are there and neither is deleted; times are cut to milliseconds.
WITH RECURSIVE
-- What stands where in the members' metadata: objects join their keys with dots, an array's elements stand at the array's path.
flat (user_id, path, value) AS (
    SELECT m.user_id, entry.key, entry.value
    FROM organization_membership AS m, jsonb_each(m.public_metadata) AS entry
    WHERE m.organization_id = @org AND m.deleted_at IS NULL AND jsonb_typeof(m.public_metadata) = 'object'
    UNION ALL
    SELECT flat.user_id, flat.path || coalesce('.' || below.key, ''), below.value
    FROM flat, LATERAL (
        SELECT key, value FROM jsonb_each(CASE jsonb_typeof(flat.value) WHEN 'object' THEN flat.value END)
        UNION ALL
        SELECT NULL, value FROM jsonb_array_elements(CASE jsonb_typeof(flat.value) WHEN 'array' THEN flat.value END) AS element (value)
    ) AS below
),
scalars AS (
    SELECT *, CASE jsonb_typeof(value)
        WHEN 'string' THEN value #>> '{}'
        WHEN 'boolean' THEN value::text
        WHEN 'number' THEN trim_scale(value::numeric)::text
    END AS text
    FROM flat
    WHERE jsonb_typeof(value) <> 'null'
),
matching AS (
    SELECT DISTINCT user_id
    FROM scalars
    WHERE (@key::text = '' OR path = @key) AND (@value::text = '' OR text = @value)
),
asked AS (
    SELECT m.*, c.user_id, c.agent_id,
        coalesce(nullif(usage->'inputTokens', 'null'), nullif(usage->'promptTokens', 'null'), '0')::numeric AS input,
        coalesce(nullif(usage->'outputTokens', 'null'), nullif(usage->'completionTokens', 'null'), '0')::numeric AS output
    FROM message AS m
    JOIN conversation AS c ON c.id = m.conversation_id
    WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL AND c.organization_id = @org
        AND date_trunc('milliseconds', m.created_at) BETWEEN @from::timestamptz AND @to::timestamptz
        AND (@user::text = '' OR c.user_id = @user)
        AND (@agent::text = '' OR c.agent_id = @agent)
        AND (@key::text = '' AND @value::text = '' OR c.user_id IN (SELECT user_id FROM matching))
),
counted AS (
    SELECT *,
        coalesce(nullif(usage->'totalTokens', 'null')::numeric, input + output) AS total,
        CASE WHEN jsonb_typeof(tool_invocations) = 'array' THEN jsonb_array_length(tool_invocations) ELSE (
            SELECT count(*)
            FROM jsonb_array_elements(CASE jsonb_typeof(parts) WHEN 'array' THEN parts END) AS part
            WHERE part->>'type' = 'dynamic-tool' OR part->>'type' LIKE 'tool-%' AND part->>'type' <> 'tool-result'
        ) END AS calls,
        CASE jsonb_typeof(feedback) WHEN 'array' THEN feedback WHEN 'string' THEN jsonb_build_array(feedback) END AS given
    FROM asked
),
rated AS (
    SELECT *,
        (SELECT count(*) FROM jsonb_array_elements_text(given) AS piece WHERE piece = 'helpful') AS helpful,
        (SELECT count(*) FROM jsonb_array_elements_text(given) AS piece WHERE piece = 'not_helpful') AS not_helpful
    FROM counted
),
message_figures AS (
    SELECT
        count(DISTINCT conversation_id) AS "conversationCount",
        count(*) AS "messageCount",
        coalesce(sum(calls), 0)::bigint AS "toolCalls",
        coalesce(sum(total), 0)::bigint AS "totalTokens",
        coalesce(sum(input), 0)::bigint AS "inputTokens",
        coalesce(sum(output), 0)::bigint AS "outputTokens",
        count(DISTINCT user_id) AS "uniqueUsers",
        count(DISTINCT agent_id) AS "uniqueAgents",
        coalesce(sum(helpful + not_helpful), 0)::bigint AS "totalFeedback",
        coalesce(sum(helpful), 0)::bigint AS "totalHelpful",
        coalesce(sum(not_helpful), 0)::bigint AS "totalNotHelpful"
    FROM rated
),
file_figures AS (
    SELECT
        count(*) AS "kbFileCount",
        count(DISTINCT knowledge_base_id) AS "kbCount",
        coalesce(sum(coalesce(extract_total_tokens, coalesce(extract_input_tokens, 0) + coalesce(extract_output_tokens, 0))), 0)::bigint
            AS "kbExtractTotalTokens",
        coalesce(sum(extract_input_tokens), 0)::bigint AS "kbExtractInputTokens",
        coalesce(sum(extract_output_tokens), 0)::bigint AS "kbExtractOutputTokens"
    FROM knowledge_base_file
    WHERE organization_id = @org AND deleted_at IS NULL
        AND (processing_status IS NULL OR processing_status = 'completed')
        AND date_trunc('milliseconds', coalesce(processed_at, created_at)) BETWEEN @from::timestamptz AND @to::timestamptz
)
SELECT * FROM message_figures, file_figures
