DROP VIEW IF EXISTS figures_in_window;
