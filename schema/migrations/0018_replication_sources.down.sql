DROP TABLE IF EXISTS replication_sources;
