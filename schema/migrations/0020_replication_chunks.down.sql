DROP TABLE IF EXISTS replication_chunks;
