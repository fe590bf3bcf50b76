DROP TABLE IF EXISTS stats_cells;
