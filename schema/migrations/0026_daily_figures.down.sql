DROP VIEW IF EXISTS daily_figures;
