DROP TABLE IF EXISTS stale_hours;
