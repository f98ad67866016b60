"""Secrets at rest: envelope encryption under a master key that is kept elsewhere.

Every secret has a data key of its own; the data key is wrapped by the master key. Rotation wraps data keys
again and never touches the secrets. A ciphertext is bound to the row it belongs to, so it cannot be moved to
another user's row. AES-256-GCM throughout.

The master key comes from the settings (``CASHUP_MASTER_KEY``, or ``CASHUP_SECURITY__MASTER_KEY_FILE``), or from
``keys/master.key`` in the data folder, which is made at the first start and readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cashup.model.errors import ConfigError, explain

__all__ = ["Vault", "load_keyring", "make_key"]

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_FORMAT: Final = "v1"


def make_key() -> str:
    """Return a new master key, as it is written to files and variables."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def load_keyring(configured: str, folder: Path) -> list[str]:
    """Return the master keys, the one in use first; make the first one when there is none.

    Args:
        configured: Key of the settings; several are separated by commas, newest first.
        folder: Where ``master.key`` is kept when none is configured.

    Raises:
        ConfigError: A key is not 32 bytes of URL-safe base64, or the file is readable by others.
    """
    if configured:
        return [part.strip() for part in configured.split(",") if part.strip()]
    path = folder / "master.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(path, make_key() + "\n")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(
            explain("the master key can be read by others", where=str(path), hint=f"run: chmod 600 {path}"),
            source=path,
        )
    return path.read_text(encoding="ascii").split()


def rotate_file(folder: Path) -> None:
    """Put a new master key in front of the ones in ``master.key``."""
    path = folder / "master.key"
    old = path.read_text(encoding="ascii").split() if path.exists() else []
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    _write_private(beside, "\n".join([make_key(), *old]) + "\n")
    beside.replace(path)


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


class Vault:
    """Seal and open secrets.

    Args:
        keys: Master keys, the one in use first; the others can still open.
    """

    def __init__(self, keys: list[str]) -> None:
        if not keys:
            raise ConfigError(explain("there is no master key", expected="32 bytes in URL-safe base64"))
        self._keys = {}
        for key in keys:
            raw = _decode_key(key)
            self._keys[hashlib.sha256(raw).hexdigest()[:12]] = raw
        self.current = next(iter(self._keys))

    def seal(self, secret: str, *, bound_to: str) -> str:
        """Encrypt `secret` for the row named by `bound_to` (such as ``credential:<id>``)."""
        data_key = AESGCM.generate_key(256)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(data_key).encrypt(nonce, secret.encode(), bound_to.encode())
        return ".".join((_FORMAT, self.current, self._wrap(data_key, bound_to), _text(sealed)))

    def open(self, sealed: str, *, bound_to: str) -> str:
        """Decrypt what `seal` made for the same row.

        Raises:
            ConfigError: The master key is not there, or the text belongs to another row or was altered.
        """
        key_id, wrapped, body = self._parts(sealed)
        data_key = self._unwrap(key_id, wrapped, bound_to)
        raw = _bytes(body)
        try:
            return (
                AESGCM(data_key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode()).decode()
            )
        except InvalidTag as e:
            raise ConfigError(explain("a stored secret was altered or belongs to another row")) from e

    def rewrap(self, sealed: str, *, bound_to: str) -> str:
        """Return the same secret under the master key in use; unchanged when it is already."""
        key_id, wrapped, body = self._parts(sealed)
        if key_id == self.current:
            return sealed
        data_key = self._unwrap(key_id, wrapped, bound_to)
        return ".".join((_FORMAT, self.current, self._wrap(data_key, bound_to), body))

    def seal_bytes(self, content: bytes, *, bound_to: str) -> bytes:
        """Encrypt a file's content."""
        data_key = AESGCM.generate_key(256)
        nonce = os.urandom(_NONCE_BYTES)
        head = ".".join((_FORMAT, self.current, self._wrap(data_key, bound_to))).encode()
        return head + b"\n" + nonce + AESGCM(data_key).encrypt(nonce, content, bound_to.encode())

    def open_bytes(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Decrypt what `seal_bytes` made.

        Raises:
            ConfigError: As `open`.
        """
        head, _, body = sealed.partition(b"\n")
        try:
            key_id, wrapped, _ = self._parts(head.decode("ascii") + ".")
        except UnicodeDecodeError as e:
            raise ConfigError(explain("this was not encrypted by CashUp")) from e
        data_key = self._unwrap(key_id, wrapped, bound_to)
        try:
            return AESGCM(data_key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], bound_to.encode())
        except InvalidTag as e:
            raise ConfigError(explain("the encrypted content was altered or cut short")) from e

    def _parts(self, sealed: str) -> tuple[str, str, str]:
        parts = sealed.split(".")
        if len(parts) != 4 or parts[0] != _FORMAT:
            raise ConfigError(
                explain("a stored secret has an unknown form", expected=f"{_FORMAT}.key.wrapped.body")
            )
        return parts[1], parts[2], parts[3]

    def _wrap(self, data_key: bytes, bound_to: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return _text(nonce + AESGCM(self._keys[self.current]).encrypt(nonce, data_key, bound_to.encode()))

    def _unwrap(self, key_id: str, wrapped: str, bound_to: str) -> bytes:
        key = self._keys.get(key_id)
        if key is None:
            raise ConfigError(
                explain(
                    f"the master key {key_id} is needed and not here",
                    hint="give it after the new one, separated by a comma",
                )
            )
        raw = _bytes(wrapped)
        try:
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode())
        except InvalidTag as e:
            raise ConfigError(explain("a stored secret was altered or belongs to another row")) from e


def _decode_key(key: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ConfigError(
            explain(
                "the master key is malformed",
                expected="32 bytes in URL-safe base64",
                hint="make one with: cashup keys new",
            )
        )
    return raw


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
