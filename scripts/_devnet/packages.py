"""The npm packages that hold the node's binary and the contracts' published builds: installed once, outside the sources."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
VAR = HERE.parent.parent / "var" / "devnet"
NPM_CI = ("npm", "ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
NPM_SECONDS = 600


class DevnetError(Exception):
    """The devnet cannot be set up or has failed; the message names the cause and, where there is one, the fix."""


def unusable() -> str:
    """Why the devnet cannot run on this machine, as one clause; empty where it can."""
    if missing := " and ".join(name for name in ("node", "npm") if shutil.which(name) is None):
        return f"needs Node.js and npm for the devnet: {missing} not found on PATH"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "needs Linux on x86-64 for the devnet, whose node is a binary"
    return ""


def ensure_node_modules() -> Path:
    """The `node_modules` folder of exactly the locked packages, installed when the lock is new.

    Safe to call from several processes at once. Raises `DevnetError` where `unusable`, or where npm fails.
    """
    if reason := unusable():
        raise DevnetError(reason)
    lock = (HERE / "package-lock.json").read_bytes() + (HERE / "package.json").read_bytes()
    folder = VAR / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    with file_lock(VAR / "npm.lock"):
        if not (folder / "complete").exists():
            install(folder)
    return folder / "node_modules"


def install(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    done = subprocess.run(NPM_CI, cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS, check=False)
    if done.returncode:
        raise DevnetError(f"`{' '.join(NPM_CI)}` in {folder} failed:\n{done.stderr.strip()[-2000:]}")
    (folder / "complete").touch()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold `path` against other processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
