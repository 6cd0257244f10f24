"""The devnet's packages are pinned, and their lock names no registry."""

from __future__ import annotations

import json

import pytest

from scripts._devnet.packages import HERE, DevnetError, ensure_node_modules


def test_lock_pins_every_package_by_hash_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in locked.items() if "resolved" in entry or not entry["integrity"].startswith("sha512-")] == []


def test_wanted_packages_are_exact_versions_that_the_lock_has() -> None:
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    lock = json.loads((HERE / "package-lock.json").read_text())["packages"]
    found = {name: lock[f"node_modules/{name}"]["version"] for name in wanted}
    assert {name: version.rsplit("@", 1)[-1] for name, version in wanted.items()} == found


def test_missing_node_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(DevnetError, match=r"^needs Node\.js and npm for the devnet: node and npm not found on PATH$"):
        ensure_node_modules()
