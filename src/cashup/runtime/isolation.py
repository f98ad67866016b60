"""A fence around code that is not ours: no network, no files but its own, no other programs, bounded memory.

What can be enforced depends on the system. On Linux: Landlock for files, TCP, signals and abstract sockets,
seccomp for sockets and system calls that start or inspect processes, and resource limits. Elsewhere: resource
limits at most. `fence` returns what holds, so that it can be shown and never has to be assumed.

The fence is put up by the process itself, before it reads a line of the user's code, and cannot be taken down.
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["Enforced", "fence"]

_MB: Final = 1_048_576
_CLONE_THREAD: Final = 0x10000
_SYSTEM: Final = (
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
_DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/zero")
#: System calls no strategy needs: other programs, other processes, the network, the kernel itself.
_REFUSED: Final = [
    "execve",
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kill",
    "tkill",
    "pidfd_open",
    "pidfd_send_signal",
    "pidfd_getfd",
    "socket",
    "socketpair",
    "bind",
    "listen",
    "accept",
    "accept4",
    "connect",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "open_by_handle_at",
    "name_to_handle_at",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setgroups",
    "capset",
    "personality",
    "memfd_create",
    "memfd_secret",
    "fork",
    "vfork",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """What the fence holds.

    Attributes:
        files: Only the allowed files can be reached.
        network: No network.
        processes: No other program can be started, and no other process inspected.
        memory: Memory is bounded.
        missing: What could not be enforced, and why.
    """

    files: bool
    network: bool
    processes: bool
    memory: bool
    missing: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "files": self.files,
            "network": self.network,
            "processes": self.processes,
            "memory": self.memory,
            "missing": list(self.missing),
        }


def fence(
    *, read: Iterable[Path], write: Iterable[Path], memory_mb: int, cpu_s: int = 0, file_mb: int = 512
) -> Enforced:
    """Put up the fence around this process, for good.

    Args:
        read: Files and folders that may be read, beside Python itself.
        write: Folders that may also be written.
        memory_mb: Most address space the process may take beyond what it has.
        cpu_s: Most processor time; 0 for no bound.
        file_mb: Largest file it may write.
    """
    missing: list[str] = []
    memory = _limit_resources(memory_mb, cpu_s, file_mb, missing)
    files = network = processes = False
    if sys.platform == "linux":
        filter_ = _seccomp(missing)  # imported before files are out of reach
        files = _landlock([*_python_paths(), *read], list(write), missing)
        if filter_ is not None:
            try:
                filter_.load()
                network = processes = True
            except OSError as e:
                missing.append(f"system calls: {e.strerror}")
    else:
        missing.append(f"files, network and processes cannot be fenced on {sys.platform}")
    return Enforced(files=files, network=network, processes=processes, memory=memory, missing=tuple(missing))


def _limit_resources(memory_mb: int, cpu_s: int, file_mb: int, missing: list[str]) -> bool:
    try:
        import resource
    except ModuleNotFoundError:
        missing.append("resource limits are not known to this system")
        return False
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_mb * _MB, file_mb * _MB))
    if cpu_s:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    try:
        bound = _address_space() + memory_mb * _MB
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    except (OSError, ValueError) as e:
        missing.append(f"memory: {e}")
        return False
    return True


def _address_space() -> int:
    """Return the address space taken so far, in bytes: libraries reserve much more than they use."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _python_paths() -> list[Path]:
    paths = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {Path(entry) for entry in sys.path if entry}
    paths |= {Path(sys.prefix) / "lib", Path(sys.base_prefix) / "lib"}
    return [*paths, *map(Path, _SYSTEM)]


def _landlock(read: list[Path], write: list[Path], missing: list[str]) -> bool:
    try:
        from py_landlock import AccessFs, Landlock, LandlockError
    except ModuleNotFoundError:
        missing.append("files: py-landlock is not installed")
        return False
    try:
        rules = Landlock(strict=False)
        for path in {path for path in read if path.exists()}:
            seen = AccessFs.READ_FILE | AccessFs.READ_DIR if path.is_dir() else AccessFs.READ_FILE
            rules.add_path_rule(path, access=seen)
        rules.add_path_rule(
            *[path for path in _DEVICES if Path(path).exists()],
            access=AccessFs.READ_FILE | AccessFs.WRITE_FILE,
        )
        for folder in write:
            rules.allow_read_write(folder)
        rules.apply()
    except (LandlockError, OSError) as e:
        missing.append(f"files: {e}")
        return False
    return True


def _seccomp(missing: list[str]) -> Any:
    try:
        import pyseccomp
    except (ModuleNotFoundError, RuntimeError, OSError) as e:
        missing.append(f"network and processes: {e}")
        return None
    import errno

    found = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in _REFUSED:
        with contextlib.suppress(RuntimeError, OSError, ValueError):  # not on this processor
            found.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    # Threads are needed, processes are not. clone3 hides its flags from a filter: without it, libraries use clone.
    found.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    no_thread = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0)
    found.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone", no_thread)
    return found
