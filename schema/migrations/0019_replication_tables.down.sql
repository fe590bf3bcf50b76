DROP TABLE IF EXISTS replication_tables;
