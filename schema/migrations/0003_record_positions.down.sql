DROP TABLE IF EXISTS record_positions;
