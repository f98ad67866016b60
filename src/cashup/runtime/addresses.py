"""Which addresses the program may call on a user's word: not this machine, not the network behind it.

The name is resolved once, every address it gives is checked, and the call goes to the checked address, so that a
name cannot answer differently a moment later. Redirects are never followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from cashup.model.errors import InputError, explain

_TIMEOUT_S: Final = 10.0
_MAX_ANSWER: Final = 100_000
#: Addresses a router may translate into its own network (RFC 8215).
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b:1::/48")


class OutgoingCalls:
    """HTTP calls to addresses users have typed.

    Args:
        allow_private: Whether this machine and private networks may be called: for tests, and for who runs his
            own services beside this program.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    async def post(
        self,
        url: str,
        *,
        json: Any = None,
        data: dict[str, str] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Send a POST request; return status and the beginning of the answer.

        Raises:
            InputError: The address may not be called.
            OSError: It does not answer.
        """
        address, pinned, host = await self._pin(url)
        request_headers = {"host": host, "user-agent": "CashUp", **(headers or {})}
        try:
            async with httpx.AsyncClient(
                timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False
            ) as client:
                request = client.build_request(
                    "POST",
                    pinned,
                    json=json,
                    data=data,
                    content=content,
                    headers=request_headers,
                    extensions={"sni_hostname": urlsplit(url).hostname},
                )
                response = await client.send(request, stream=True)
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > _MAX_ANSWER:
                        break
                await response.aclose()
        except httpx.HTTPError as e:
            raise OSError(f"{urlsplit(url).hostname} ({address}) does not answer: {type(e).__name__}") from e
        return response.status_code, body.decode(errors="replace")

    async def _pin(self, url: str) -> tuple[str, str, str]:
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username:
            raise InputError(
                explain(f"{parts.scheme}://{parts.hostname} cannot be called", expected="https://host/path"),
                field="url",
            )
        if parts.scheme == "http" and not self._allow_private:
            raise InputError(explain("the address is not encrypted", expected="https://"), field="url")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await self.resolve(parts.hostname, port)
        shown = f"[{address}]" if ":" in address else address
        pinned = parts._replace(netloc=f"{shown}:{port}").geturl()
        return address, pinned, parts.netloc

    async def resolve(self, host: str, port: int) -> str:
        """Return an address of `host` that may be called.

        Raises:
            InputError: One of its addresses may not be called, or there is none.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as e:
            raise InputError(explain(f"the host {host[:80]} is not known"), field="url") from e
        addresses = [str(entry[4][0]) for entry in found]
        if not self._allow_private:
            for address in addresses:
                if not public(address):
                    raise InputError(
                        explain(
                            f"the host {host[:80]} is inside this network",
                            expected="an address of the public internet",
                        ),
                        field="url",
                    )
        return addresses[0]


def public(address: str) -> bool:
    """Say whether an address belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        for inside in (ip.ipv4_mapped, ip.sixtofour, ip.teredo[1] if ip.teredo else None):
            if inside is not None:
                ip = inside
                break
    return ip.is_global and not ip.is_multicast and ip not in _TRANSLATED
