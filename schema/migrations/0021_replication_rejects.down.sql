DROP TABLE IF EXISTS replication_rejects;
