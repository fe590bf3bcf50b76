DROP VIEW IF EXISTS figures_by_interval_in_window;
