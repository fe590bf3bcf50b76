DROP VIEW IF EXISTS daily_agent_figures;
