"""Code behind the fence tries to get out, in every way we can think of; none succeeds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cashup.app.jobs import JobFailed, JobLauncher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fence is put up by Linux")

SECRET = "planted-secret-4711"
HEAD = """
from cashup import Strategy

def attempt():
    import os, sys, socket, subprocess, ctypes, pathlib, signal, threading, shutil
{body}

try:
    outcome = "ESCAPED " + str(attempt())
except BaseException as e:
    outcome = "refused " + type(e).__name__

class S(Strategy):
    __doc__ = outcome
    timeframe = "1h"
    def on_bar(self):
        pass
"""

ESCAPES = {
    "read a file of the program": "return open({secret!r}).read()",
    "read through pathlib": "return pathlib.Path({secret!r}).read_text()",
    "read /etc/passwd": "return open('/etc/passwd').read()[:20]",
    "read through a symlink": "os.symlink({secret!r}, 'link'); return open('link').read()",
    "read through a hard link": "os.link({secret!r}, 'hard'); return open('hard').read()",
    "read through .. of its folder": "return open('../../keys/master.key').read()",
    "read through dir_fd": "fd = os.open('/', os.O_RDONLY); return os.open('etc/passwd', os.O_RDONLY, dir_fd=fd)",
    "list the home": "return os.listdir({home!r})",
    "list the root's home": "return os.listdir('/root')",
    "see other processes": "return [p for p in os.listdir('/proc') if p.isdigit()]",
    "read the parent's environment": "return open(f'/proc/{{os.getppid()}}/environ').read()",
    "read the parent's memory": "return open(f'/proc/{{os.getppid()}}/mem', 'rb').read(1)",
    "write beside its folder": "open({home!r} + '/planted', 'w').write('x'); return 'written'",
    "write above its home": "open('{home}/../cashup-planted', 'w').write('x'); return 'written'",
    "write into the package": "import cashup; open(cashup.__file__, 'a').write(''); return 'written'",
    "delete the database": "os.remove({secret!r}); return 'deleted'",
    "rename the database": "os.rename({secret!r}, 'mine'); return 'renamed'",
    "truncate the database": "os.truncate({secret!r}, 0); return 'truncated'",
    "move it with shutil": "shutil.move({secret!r}, 'mine'); return 'moved'",
    "open a TCP connection": "s = socket.create_connection(('127.0.0.1', {port}), 2); return s",
    "open a TCP socket": "return socket.socket()",
    "open a UDP socket": "return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "open a unix socket": "return socket.socket(socket.AF_UNIX)",
    "open a raw socket": "return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "make a pair of sockets": "return socket.socketpair()",
    "ask for a name": "return socket.getaddrinfo('example.com', 80)",
    "fetch a page": "import urllib.request; return urllib.request.urlopen('http://127.0.0.1:{port}/').read()",
    "start a program": "return subprocess.run(['id'], capture_output=True).stdout",
    "start a shell": "r = os.system('id'); assert r == 0; return r",
    "replace itself": "os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])",
    "spawn": "r = os.spawnv(os.P_WAIT, '/usr/bin/id', ['id']); assert r == 0; return r",
    "open a pipe to a program": "r = os.popen('id').read(); assert r; return r",
    "kill the parent": "os.kill(os.getppid(), signal.SIGTERM); return 'killed'",
    "stop the parent": "os.kill(os.getppid(), signal.SIGSTOP); return 'stopped'",
    "kill by ctypes": "r = ctypes.CDLL(None, use_errno=True).kill(os.getppid(), 9); assert r == 0; return r",
    "kill a process group": "os.killpg(os.getpgid(os.getppid()), 15); return 'killed'",
    "trace the parent": "r = ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0); assert r == 0; return r",
    "read memory by system call": (
        "r = ctypes.CDLL(None).process_vm_readv(os.getppid(), None, 0, None, 0, 0); assert r >= 0; return r"
    ),
    "socket by ctypes": "r = ctypes.CDLL(None).socket(2, 1, 0); assert r >= 0; return r",
    "open by ctypes": "r = ctypes.CDLL(None).open({secret!r}.encode(), 0); assert r >= 0; return r",
    "system by ctypes": "r = ctypes.CDLL(None).system(b'id'); assert r == 0; return r",
    "execve by system call": "r = ctypes.CDLL(None).syscall(59, b'/usr/bin/id', None, None); assert r == 0; return r",
    "mount": "r = ctypes.CDLL(None).mount(b'none', b'/mnt', b'tmpfs', 0, None); assert r == 0; return r",
    "leave by a namespace": "r = ctypes.CDLL(None).unshare(0x10000000); assert r == 0; return r",
    "change the root": "os.chroot('.'); return 'changed'",
    "raise its limits": (
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY,) * 2); "
        "assert resource.getrlimit(resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY; "
        "return open({secret!r}).read()"
    ),
    "io_uring": "r = ctypes.CDLL(None).syscall(425, 8, None); assert r >= 0; return r",
    "memfd": "r = os.memfd_create('x'); return r",
    "find secrets in the environment": (
        "found = [v for v in os.environ.values() if {planted!r} in v]; assert found; return found"
    ),
    "find secrets in open files": (
        "found = [n for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{{n}}') "
        "and {home!r} in os.readlink(f'/proc/self/fd/{{n}}') and 'jobs' not in os.readlink(f'/proc/self/fd/{{n}}')]; "
        "assert found; return found"
    ),
    "use a thread": (
        "box = []\n"
        "    t = threading.Thread(target=lambda: box.append(open({secret!r}).read())); t.start(); t.join()\n"
        "    return box[0]"
    ),
    "fork": "p = os.fork(); return p",
    "load a module from elsewhere": (
        "sys.path.insert(0, {home!r}); import planted_module; return planted_module.value"
    ),
    "device": "return open('/dev/mem', 'rb').read(1)",
    "kernel messages": "return open('/dev/kmsg').read(1)",
    "terminal": "return open('/dev/tty', 'w')",
    "clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0); return 'set'",
    "numba in a compiled function": (
        "import numba, numba.core.typing.cffi_utils\n"
        "    libc_open = ctypes.CDLL(None).open; libc_open.argtypes = [ctypes.c_void_p, ctypes.c_int]; "
        "libc_open.restype = ctypes.c_int\n"
        "    path = ctypes.create_string_buffer({secret!r}.encode()); address = ctypes.addressof(path)\n"
        "    f = numba.njit(lambda a: libc_open(a, 0)); r = f(address); assert r >= 0; return r"
    ),
}


@pytest.fixture(scope="module")
def listening() -> int:
    """A port of this machine that answers."""
    import socket
    import threading

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: _serve(server), daemon=True).start()
    return int(server.getsockname()[1])


def _serve(server: object) -> None:
    while True:
        try:
            connection, _ = server.accept()  # type: ignore[attr-defined]
            connection.close()
        except OSError:
            return


@pytest.mark.parametrize("way", sorted(ESCAPES))
async def test_nothing_gets_out(
    way: str, tmp_path: Path, listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASHUP_TEST_SECRET", SECRET)
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True)
    secret = home / "cashup.db"
    for path in (secret, home / "keys" / "master.key"):
        path.write_text(SECRET)
    (home / "planted_module.py").write_text("value = 1")
    body = ESCAPES[way].format(secret=str(secret), home=str(home), port=listening, planted=SECRET)
    folder = home / "jobs" / "one"
    folder.mkdir(parents=True)
    (folder / "strategy.py").write_text(HEAD.format(body="    " + body))
    launcher = JobLauncher(home, at_once=1, seconds=30)
    try:
        found = await launcher.run(
            "inspect", {"strategy": str(folder / "strategy.py")}, folder=folder, user_id="user"
        )
        outcome = found["description"]
        assert found["isolation"]["missing"] == []
    except JobFailed as e:
        outcome = f"refused {e.message}"
    assert outcome.startswith("refused"), outcome
    assert secret.read_text() == SECRET
    assert not (home / "planted").exists()
    assert not (tmp_path / "cashup-planted").exists()


async def test_a_memory_bomb_ends_the_job_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "one"
    folder.mkdir(parents=True)
    (folder / "strategy.py").write_text("held = [bytearray(200_000_000) for _ in range(100)]\n")
    launcher = JobLauncher(tmp_path, at_once=1, memory_mb=600, seconds=30)
    with pytest.raises(JobFailed, match="memory"):
        await launcher.run(
            "inspect", {"strategy": str(folder / "strategy.py")}, folder=folder, user_id="user"
        )


async def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "one"
    folder.mkdir(parents=True)
    (folder / "strategy.py").write_text("import time\nwhile True: time.sleep(1)\n")
    launcher = JobLauncher(tmp_path, at_once=1, seconds=2)
    with pytest.raises(JobFailed, match="longer than 2 s"):
        await launcher.run(
            "inspect", {"strategy": str(folder / "strategy.py")}, folder=folder, user_id="user"
        )


@pytest.mark.parametrize(
    "code", ["import sys; sys.exit(3)", "import os; os._exit(3)", "raise KeyboardInterrupt"]
)
async def test_code_that_leaves_is_a_failed_job(tmp_path: Path, code: str) -> None:
    folder = tmp_path / "jobs" / "one"
    folder.mkdir(parents=True)
    (folder / "strategy.py").write_text(code)
    with pytest.raises(JobFailed):
        await JobLauncher(tmp_path, at_once=1).run(
            "inspect", {"strategy": str(folder / "strategy.py")}, folder=folder, user_id="user"
        )
