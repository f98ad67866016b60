"""Who there is and what is set: users, sign-in, keys, settings, audit, backup."""
