"""Environments of the peers: each installed by its own lock into a place of its own, once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_SECONDS = 300


def environment(name: str, lock: Path) -> Path | str:
    """The Python of the peer's environment, made on the first call; or why there is none, in words."""
    stamp = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = _cache() / f"{name}-{stamp}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if ready.is_file():
        return python
    print(f"bench: installing {name} (once)", file=sys.stderr)
    install = (python, "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "--requirement", lock)
    try:
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{name} is not measured: it could not be installed ({type(error).__name__}; is this machine offline?)"
    ready.touch()
    return python


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mempool-bench")
