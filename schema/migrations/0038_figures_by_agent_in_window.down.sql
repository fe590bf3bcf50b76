DROP VIEW IF EXISTS figures_by_agent_in_window;
