-- Likewise for the activity by day.
INSERT INTO stale_hours (org_id, hour, step, is_fresh)
SELECT
    org_id,
    toInt32(intDiv(toUnixTimestamp64Milli(bucket), 3600000)),
    (SELECT max(step) + 2 - max(step) % 2 FROM stale_hours),
    0
FROM stats_cells FINAL
WHERE agent_id = '' AND grain = 'hour';
