DROP VIEW IF EXISTS figures_by_role_in_window;
