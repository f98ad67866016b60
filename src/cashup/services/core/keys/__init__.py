"""API keys of users, and their credentials at exchanges."""
