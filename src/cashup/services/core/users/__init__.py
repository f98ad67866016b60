"""Users, roles, invitations, profiles, identity checks."""
