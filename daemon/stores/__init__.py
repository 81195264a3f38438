"""What outlives the process: one schema for SQLite and PostgreSQL, and one module of rows and functions per noun."""
