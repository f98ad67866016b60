"""Settings: typed, from four places with one precedence, and a mistake is shown with its line.

Later wins: defaults of the profile < ``configs/*.yaml`` < environment < overrides kept in the database.

* files: ``configs/cashup.yaml`` holds the sections below by name; a file named like a section
  (``configs/database.yaml``) holds that section alone;
* environment: ``CASHUP_SERVER__PORT=9000`` is ``server.port``; the usual short names (``DATABASE_URL``,
  ``JWT_SECRET_KEY``, ``JWT_ACCESS_TOKEN_EXPIRE_MINUTES``, ``CASHUP_DATA_DIR``, …) are understood too;
* a secret may be given as a file: ``CASHUP_SECURITY__JWT_SECRET_FILE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cashup.model.errors import ConfigError, did_you_mean, explain

__all__ = ["SERVICES", "Settings", "SettingsSource", "load_settings", "names"]

Profile = Literal["development", "test", "production"]
Service = Literal["core", "trading", "strategy", "notification"]
SERVICES: Final[tuple[Service, ...]] = get_args(Service)
PORTS: Final[dict[str, int]] = {"core": 8001, "trading": 8002, "strategy": 8003, "notification": 8004}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ServerSettings(_Section):
    """Where the program listens, and to whom it answers."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str = ""
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    max_body_mb: float = Field(10, gt=0, le=1000)
    request_timeout_s: float = Field(30, gt=0)
    secure_cookies: bool | None = None


class DatabaseSettings(_Section):
    """The database. Without an address: SQLite in the data folder."""

    url: SecretStr = SecretStr("")
    pool_size: int = Field(5, ge=1, le=100)


class ChannelSettings(_Section):
    """What carries messages between services."""

    url: SecretStr = SecretStr("memory://")


class SecuritySettings(_Section):
    """Tokens, passwords, lockout and rate limits."""

    jwt_secret: SecretStr = SecretStr("")
    master_key: SecretStr = SecretStr("")
    access_minutes: int = Field(30, ge=1, le=24 * 60)
    refresh_days: int = Field(30, ge=1, le=365)
    registration: Literal["open", "invitation", "closed"] = "open"
    password_min_length: int = Field(10, ge=8, le=128)
    lockout_failures: int = Field(10, ge=3, le=100)
    lockout_minutes: int = Field(15, ge=1)
    requests_per_minute: int = Field(1200, ge=1)
    login_per_minute: int = Field(10, ge=1)


class MailSettings(_Section):
    """The mail server that sends verifications, resets and notifications."""

    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: str = ""
    encryption: Literal["starttls", "tls", "none"] = "starttls"


class NotificationSettings(_Section):
    """What notifications may do."""

    allow_private_addresses: bool = False


class BackupSettings(_Section):
    """Scheduled backups."""

    enabled: bool = True
    every_hours: float = Field(24, gt=0)
    keep: int = Field(14, ge=1)
    folder: str = ""


class LogSettings(_Section):
    """What is logged, and how."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Settings(_Section):
    """Everything that can be set.

    Attributes:
        profile: Which defaults apply; ``production`` refuses what is only safe at home.
        data_dir: Folder of the database, market data, strategies, reports and backups.
        strategies_dir: The user's own strategies; ``strategies`` in the data folder by default.
        services: Which services run in this process.
        demo: Whether the demo exchange runs.
    """

    profile: Profile = "development"
    data_dir: Path = Path("~/.cashup")
    strategies_dir: Path | None = None
    services: tuple[Service, ...] = SERVICES
    demo: bool = True
    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    channel: ChannelSettings = ChannelSettings()
    security: SecuritySettings = SecuritySettings()
    mail: MailSettings = MailSettings()
    notification: NotificationSettings = NotificationSettings()
    backup: BackupSettings = BackupSettings()
    log: LogSettings = LogSettings()

    @property
    def home(self) -> Path:
        """The data folder, with ``~`` resolved."""
        return self.data_dir.expanduser()

    @property
    def database_url(self) -> str:
        """Address of the database in use."""
        return self.database.url.get_secret_value() or f"sqlite+aiosqlite:///{self.home / 'cashup.db'}"


#: Short names of the environment, as other tools and earlier guides use them.
_ALIASES: Final[dict[str, str]] = {
    "DATABASE_URL": "database.url",
    "REDIS_URL": "channel.url",
    "JWT_SECRET_KEY": "security.jwt_secret",
    "JWT_ACCESS_TOKEN_EXPIRE_MINUTES": "security.access_minutes",
    "CASHUP_DATABASE_URL": "database.url",
    "CASHUP_CHANNEL": "channel.url",
    "CASHUP_DATA_DIR": "data_dir",
    "CASHUP_STRATEGIES_DIR": "strategies_dir",
    "CASHUP_SERVICES": "services",
    "CASHUP_PROFILE": "profile",
    "CASHUP_DEMO": "demo",
    "CASHUP_MASTER_KEY": "security.master_key",
}
_PREFIX: Final = "CASHUP_"
_LISTS: Final = frozenset({"services", "server.allowed_origins", "server.trusted_proxies"})
_PROFILES: Final[dict[str, dict[str, Any]]] = {
    "development": {},
    "test": {"backup": {"enabled": False}, "log": {"level": "WARNING"}},
    "production": {"log": {"format": "json"}, "security": {"registration": "invitation"}},
}


class SettingsSource:
    """The settings of this process, and where each came from.

    Args:
        folder: Where the YAML files are; None or a missing folder for none.
        environ: The environment.

    Raises:
        ConfigError: A file cannot be read, a name does not exist or a value is out of range; the message says
            which, where and what would be right.
    """

    def __init__(self, folder: Path | None, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = dict(environ)
        self.settings, self.origins = self._build({})

    def check(self, overrides: Mapping[str, Any]) -> Settings:
        """Return what the settings would be under these overrides, and change nothing (`ConfigError`)."""
        return self._build(overrides)[0]

    def apply(self, overrides: Mapping[str, Any]) -> Settings:
        """Make overrides (dotted name -> value) hold; return the settings (`ConfigError`: the old ones stay)."""
        self.settings, self.origins = self._build(overrides)
        return self.settings

    def _build(self, overrides: Mapping[str, Any]) -> tuple[Settings, dict[str, str]]:
        found = {**_from_files(self._folder), **_from_environment(self._environ)}
        found |= {name: (value, "database override") for name, value in overrides.items()}
        origin = {name: where for name, (_, where) in found.items()}
        for name, where in origin.items():
            _check_name(name, where)
        profile, _ = found.get("profile", ("development", ""))
        tree: dict[str, Any] = {}
        for section, content in _PROFILES.get(str(profile), {}).items():
            for key, value in content.items():
                _put(tree, f"{section}.{key}", value)
        for name, (value, _) in found.items():
            _put(tree, name, value)
        try:
            return Settings.model_validate(tree), origin
        except ValidationError as e:
            raise _explained(e, origin) from e


def load_settings(folder: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings once, without overrides (`ConfigError`)."""
    return SettingsSource(folder, environ).settings


def names() -> dict[str, Any]:
    """Return every dotted name with its default."""
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, _Section):
            found.update({f"{name}.{key}": getattr(default, key) for key in type(default).model_fields})
        else:
            found[name] = default
    return found


def _from_files(folder: Path | None) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    if folder is None or not folder.is_dir():
        return found
    sections = {name for name, value in Settings.model_fields.items() if isinstance(value.default, _Section)}
    for name in ["cashup", *sorted(sections)]:
        path = folder / f"{name}.yaml"
        if path.is_file():
            found.update(_read_yaml(path, "" if name == "cashup" else f"{name}."))
    return found


def _read_yaml(path: Path, prefix: str) -> dict[str, tuple[Any, str]]:
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise ConfigError(explain(f"this is not YAML: {e}", where=str(path)), source=path) from e
    found: dict[str, tuple[Any, str]] = {}
    if root is None:
        return found
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            explain(
                "the file holds no mapping", where=f"{path}, line 1", expected="lines such as port: 8000"
            ),
            source=path,
        )
    _walk(root, prefix, path, found)
    return found


def _walk(node: yaml.MappingNode, prefix: str, path: Path, found: dict[str, tuple[Any, str]]) -> None:
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        line = f"{path}, line {key.start_mark.line + 1}"
        if isinstance(value, yaml.MappingNode):
            _walk(value, f"{name}.", path, found)
            continue
        if name in found:
            raise ConfigError(explain(f"{name} is set twice", where=line), source=path, key=name)
        loader = yaml.SafeLoader("")
        found[name] = (loader.construct_object(value, deep=True), line)


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    for variable, text in environ.items():
        name = _ALIASES.get(variable)
        if name is None and variable.startswith(_PREFIX) and "__" in variable:
            name = variable.removeprefix(_PREFIX).lower().replace("__", ".")
        if name is None:
            continue
        where = f"environment variable {variable}"
        if name.endswith("_file") and name not in names():
            name = name.removesuffix("_file")
            try:
                text = Path(text).read_text(encoding="utf-8").strip()
            except OSError as e:
                raise ConfigError(
                    explain(f"{text} cannot be read: {e.strerror}", where=where), key=name
                ) from e
        found[name] = (
            [part.strip() for part in text.split(",") if part.strip()] if name in _LISTS else text,
            where,
        )
    return found


def _check_name(name: str, where: str) -> None:
    known = names()
    if name in known:
        return
    near = did_you_mean(name, known)
    raise ConfigError(
        explain(f"there is no setting {name!r}", where=where, hint=f"did you mean {near!r}?" if near else ""),
        key=name,
    )


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    *sections, key = name.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[key] = value


def _explained(error: ValidationError, origin: Mapping[str, str]) -> ConfigError:
    lines = []
    first = ""
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"] if not isinstance(part, int))
        first = first or name
        secret = any(word in name for word in ("secret", "password", "url", "key"))
        shown = "" if secret else f" ({problem['input']!r})"
        lines.append(explain(f"{name}{shown}: {problem['msg'].lower()}", where=origin.get(name, "")))
    return ConfigError("\n".join(lines), key=first)
