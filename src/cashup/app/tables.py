"""All tables of all services, for migrations, backups and exports."""

from __future__ import annotations

from sqlalchemy import MetaData

from cashup.runtime.db import Base


def metadata() -> MetaData:
    """Return the tables, after every module that defines some has been imported."""
    import cashup.services.core.audit.tables
    import cashup.services.core.auth.tables
    import cashup.services.core.keys.tables
    import cashup.services.core.settings.tables
    import cashup.services.core.system.tables
    import cashup.services.core.users.tables
    import cashup.services.notification.tables
    import cashup.services.strategy.tables  # noqa: F401

    return Base.metadata
