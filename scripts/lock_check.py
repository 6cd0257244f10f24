"""Compares the lock files with pyproject.toml, offline: every requirement pinned, hashed, met, and no address named."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run_time, dev = (read_lock(ROOT / name) for name in ("requirements.lock", "requirements-dev.lock"))
    faults = [
        *faults_of("requirements.lock", run_time, [*dependencies(project), *group(project, "build")]),
        *faults_of("requirements-dev.lock", dev, [*dependencies(project), *extras(project), *group(project, "dev")]),
        *(
            f"{name}: requirements.lock has {pin}, requirements-dev.lock {dev.get(name)}"
            for name, pin in run_time.items()
            if dev.get(name) != pin
        ),
        *address_faults(ROOT / "requirements.lock"),
        *address_faults(ROOT / "requirements-dev.lock"),
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"lock: {len(run_time)} packages at run time, {len(dev)} with the tests, {len(faults)} faults")
    return 1 if faults else 0


def read_lock(path: Path) -> dict[str, str]:
    """Name to version. Raises SystemExit on a line that is not a pinned, hashed requirement."""
    pins: dict[str, str] = {}
    for entry in path.read_text().replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        found = re.match(r"([A-Za-z0-9._-]+)==(\S+)(?: ; .*?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+$", entry)
        if not found:
            raise SystemExit(f"{path.name}: not a pinned requirement with hashes: {entry[:100]}")
        pins[canonicalize_name(found[1])] = found[2]
    return pins


def faults_of(lock: str, pins: Mapping[str, str], wanted: list[Requirement]) -> Iterator[str]:
    for requirement in wanted:
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None or not SpecifierSet(str(requirement.specifier)).contains(pin, prereleases=True):
            yield f"{lock}: pyproject.toml asks for {requirement}, the lock has {pin}: run scripts/lock"


def dependencies(project: Mapping[str, Any]) -> list[Requirement]:
    return [Requirement(text) for text in project["project"]["dependencies"]]


def extras(project: Mapping[str, Any]) -> list[Requirement]:
    return [Requirement(text) for extra in project["project"]["optional-dependencies"].values() for text in extra]


def group(project: Mapping[str, Any], name: str) -> list[Requirement]:
    found: list[Requirement] = []
    for entry in project["dependency-groups"][name]:
        found += [Requirement(entry)] if isinstance(entry, str) else group(project, entry["include-group"])
    return found


def address_faults(path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if "://" in line or line.startswith("-"):
            yield f"{path.name}, line {number}: names an address or an option: {line[:100]}"


if __name__ == "__main__":
    sys.exit(main())
