"""A small server on loopback that answers like an exchange's REST interface and like Binance's archive."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOUR = 3_600_000
START = 1_704_067_200_000


class HistoryServer:
    """Serves hourly bars of BTC/USDT; faults are functions asked before every answer."""

    def __init__(self, bars: int = 3_000, gap: range = range(0)) -> None:
        self.bars = [bar(n) for n in range(bars) if n not in gap]
        self.trades = [
            {
                "a": n,
                "p": str(100 + n % 7),
                "q": "0.5",
                "f": n,
                "l": n,
                "T": START + 10 * (n // 40),
                "m": n % 2 == 0,
            }
            for n in range(2_000)
        ]
        self.requests: list[str] = []
        self.fault: Callable[[int], tuple[int, dict[str, str]] | str | None] = lambda number: None
        self.files: dict[str, bytes] = {}

    @contextmanager
    def running(self) -> Iterator[str]:  # noqa: C901 (a handler class lives inside)
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.requests.append(self.path)
                fault = server.fault(len(server.requests))
                if fault == "reset":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                if isinstance(fault, tuple):
                    self.reply(fault[0], b"{}", fault[1])
                    return
                self.serve(fault == "cut")

            def serve(self, cut: bool) -> None:
                path = urlsplit(self.path).path
                if path in server.files:
                    self.file(server.files[path], cut)
                    return
                answer = server.answer(
                    path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                )
                if answer is None:
                    self.reply(404, b"not found", {})
                else:
                    self.reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

            def file(self, content: bytes, cut: bool) -> None:
                start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
                rest = content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                self.wfile.write(rest[: len(rest) // 2] if cut else rest)
                if cut:
                    self.close_connection = True

            def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()
            listener.server_close()
            thread.join()

    def answer(self, path: str, query: dict[str, str]) -> object:
        if path.endswith("/klines"):
            since, limit = int(query.get("startTime", 0)), int(query.get("limit", 500))
            return [row for row in self.bars if int(row[0]) >= since][:limit]
        if path.endswith("/aggTrades"):
            since, limit = int(query.get("startTime", 0)), int(query.get("limit", 500))
            return [row for row in self.trades if int(str(row["T"])) >= since][:limit]
        if path.endswith("/fundingRate"):
            since = int(query.get("startTime", 0))
            rows = [(START + 8 * HOUR * n, f"{0.0001 * (n % 5):.6f}") for n in range(90)]
            return [
                {"symbol": "BTCUSDT", "fundingTime": ts, "fundingRate": rate, "markPrice": "1"}
                for ts, rate in rows
                if ts >= since
            ][:100]
        return None

    def archive(self, path: str, rows: list[list[object]], *, checksum: str | None = None) -> None:
        """Put a zipped month or day and its checksum file on the server."""
        text = "\n".join(",".join(str(value) for value in row) for row in rows) + "\n"
        name = path.rpartition("/")[2]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(name.replace(".zip", ".csv"), text)
        content = buffer.getvalue()
        digest = checksum or hashlib.sha256(content).hexdigest()
        self.files[path] = content
        self.files[f"{path}.CHECKSUM"] = f"{digest}  {name}\n".encode()


def bar(n: int) -> list[object]:
    """Return bar number n as Binance's kline row."""
    ts = START + n * HOUR
    close = 100.0 + (n % 50) * 0.1
    row: list[object] = [
        ts,
        "100.0",
        "110.0",
        "90.0",
        f"{close:.2f}",
        "12.5",
        ts + HOUR - 1,
        "1250.0",
        10,
        "6.0",
    ]
    return [*row, "600.0", "0"]
