-- What getTimeSeries answers, without its empty intervals, from what ClickHouse knows of zones: dates, the instants at which they begin, and
-- offsets. Functions such as toStartOfMonth and toStartOfInterval give 16 or 32 bits, which hold no time before 1970, nor after 2106 or
-- 2149. An hour begins where the clocks show a full one, or leave another one: by the offset alone if that is still the one with which the
-- hour began, and else at the last quarter of an hour where that is so. ClickHouse wants the zone to be constant, which parameters are when
-- a statement is analyzed. An interval of another name is an error. The ends are those of figures_in_window.
CREATE VIEW IF NOT EXISTS figures_by_interval_in_window
SQL SECURITY INVOKER
AS WITH
    parseDateTime64BestEffort({from:String}, 3, 'UTC') + toIntervalMillisecond(match({from:String}, '\\.[0-9]{3}[0-9]*[1-9]')) AS first,
    parseDateTime64BestEffort({to:String}, 3, 'UTC') AS last,
    greatest(first, toDateTime64('1900-01-01 00:00:00', 3, 'UTC')) AS earliest, -- records have no other times
    least(last, toDateTime64('2261-12-31 23:59:59.999', 3, 'UTC')) AS latest,
    CAST({interval:String}, 'Enum8(\'hour\', \'day\', \'week\', \'month\', \'quarter\', \'year\')') AS unit,
    toInt64(900000) AS quarter_hour, -- signed, as times before 1970 are
    (ms) -> fromUnixTimestamp64Milli(ms, {time_zone:String}) AS clock,
    (ms) -> toDate32(clock(ms)) AS date_of,
    (date) -> toUnixTimestamp64Milli(toDateTime64(date, 3, {time_zone:String})) AS midnight,
    (date) -> multiIf(
        unit = 'week', date - (toDayOfWeek(date) - 1),
        unit = 'month', date - (toDayOfMonth(date) - 1),
        unit = 'quarter', addMonths(date - (toDayOfMonth(date) - 1), -(toMonth(date) - 1) % 3),
        unit = 'year', date - (toDayOfYear(date) - 1),
        date) AS first_date,
    (date) -> multiIf(
        unit = 'week', date + 7,
        unit = 'month', addMonths(date, 1),
        unit = 'quarter', addMonths(date, 3),
        unit = 'year', addYears(date, 1),
        date + 1) AS next_date,
    (ms) -> positiveModulo(ms + 1000 * timezoneOffset(clock(ms)), 4 * quarter_hour) AS into_hour,
    (ms) -> into_hour(ms) = 0 OR toHour(clock(ms)) != toHour(clock(ms - 1)) AS begins_hour,
    (ms, quarters) -> arrayFilter(
        at -> begins_hour(at),
        arrayMap(n -> ms - (ms - midnight(date_of(ms))) % quarter_hour + quarter_hour * n, quarters)) AS hours_near,
    (ms) -> if(
        timezoneOffset(clock(ms - into_hour(ms))) = timezoneOffset(clock(ms)),
        ms - into_hour(ms),
        arrayMax(arrayPushBack(hours_near(ms, range(-8, 1)), midnight(date_of(ms))))) AS hour_of,
    (ms) -> arrayMin(arrayPushBack(hours_near(ms, range(1, 9)), midnight(date_of(ms) + 1))) AS next_hour,
    (time) -> if(
        unit = 'hour',
        hour_of(toUnixTimestamp64Milli(time)),
        midnight(first_date(toDate32(time, {time_zone:String})))) AS start_of,
    (ms) -> if(unit = 'hour', next_hour(ms), midnight(next_date(date_of(ms)))) AS end_of
SELECT
    fromUnixTimestamp64Milli(halves.start_ms, 'UTC')                    AS start,
    fromUnixTimestamp64Milli(end_of(halves.start_ms), 'UTC')            AS end,
    toBool(start < earliest OR latest < end - toIntervalMillisecond(1)) AS partial,
    sum(halves.conversation_count)                                      AS conversation_count,
    sum(halves.message_count)                                           AS message_count,
    sum(halves.tool_calls)                                              AS tool_calls,
    sum(halves.total_tokens)                                            AS total_tokens,
    sum(halves.input_tokens)                                            AS input_tokens,
    sum(halves.output_tokens)                                           AS output_tokens,
    sum(halves.unique_users)                                            AS unique_users,
    sum(halves.unique_agents)                                           AS unique_agents,
    sum(halves.total_feedback)                                          AS total_feedback,
    sum(halves.total_helpful)                                           AS total_helpful,
    sum(halves.total_not_helpful)                                       AS total_not_helpful,
    sum(halves.kb_file_count)                                           AS kb_file_count,
    sum(halves.kb_count)                                                AS kb_count,
    sum(halves.kb_extract_total_tokens)                                 AS kb_extract_total_tokens,
    sum(halves.kb_extract_input_tokens)                                 AS kb_extract_input_tokens,
    sum(halves.kb_extract_output_tokens)                                AS kb_extract_output_tokens
FROM
(
    SELECT
        start_of(created_at)                   AS start_ms,
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
    WHERE org_id = {org_id:String}
      AND created_at BETWEEN first AND last
    GROUP BY start_ms
    UNION ALL
    SELECT
        start_of(processed_at)       AS start_ms,
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
    WHERE org_id = {org_id:String}
      AND processed_at BETWEEN first AND last
      AND processing_status IN ('', 'completed')
    GROUP BY start_ms
) AS halves
GROUP BY halves.start_ms
COMMENT 'The 16 figures of every interval of a zone''s calendar in a window, both ends inclusive; intervals without messages and files have no row: figures_by_interval_in_window(org_id = ''org_1'', from = ''2026-01-01T00:00:00Z'', to = ''2026-01-31T23:59:59.999Z'', interval = ''day'', time_zone = ''Europe/Berlin'').';
