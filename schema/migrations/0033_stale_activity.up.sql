-- All hours that have messages are stale until their activity by hour is computed, by whoever opens the replicas next. The next
-- migrations may then be cut off anywhere. The step is greater than all before, so that the marks replace what was there.
INSERT INTO stale_hours (org_id, hour, step, is_fresh)
SELECT
    org_id,
    toInt32(intDiv(toUnixTimestamp64Milli(bucket), 3600000)),
    (SELECT max(step) + 2 - max(step) % 2 FROM stale_hours),
    0
FROM stats_cells FINAL
WHERE agent_id = '' AND grain = 'hour';
