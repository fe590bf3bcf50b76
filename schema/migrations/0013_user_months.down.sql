DROP TABLE IF EXISTS user_months;
