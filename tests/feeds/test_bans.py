"""Bans: none is forgotten by a restart, a clock that is set or a broken file, and what hosts say is read with care."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mempool.feeds.bans import LONGEST_NS, SECOND_NS, BanList, Clocks, retry_seconds

HOST = "api.example.org"


class Time:
    """A wall clock and a monotonic clock, set by the test."""

    def __init__(self) -> None:
        self.wall_ns = 1_700_000_000 * SECOND_NS
        self.monotonic_ns = 5 * SECOND_NS

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall_ns, lambda: self.monotonic_ns)

    def go(self, seconds: float) -> None:
        self.wall_ns += round(seconds * SECOND_NS)
        self.monotonic_ns += round(seconds * SECOND_NS)


def test_no_request_before_the_time_and_one_probe_after_it_over_a_thousand_runs(tmp_path: Path) -> None:
    chance, time = random.Random(4), Time()
    path = tmp_path / "state" / "bans.json"
    allowed_from_ns = early = probes = 0
    bans = BanList(path, time.clocks())
    for _ in range(1_000):
        time.go(chance.uniform(0, 400))
        if chance.random() < 0.7:
            bans = BanList(path, time.clocks())  # a new run
        if bans.wait_ns(HOST):
            continue
        early += time.wall_ns < allowed_from_ns
        probes += 1
        seconds = chance.randint(0, 600)
        bans.ban(HOST, chance.choice((418, 429)), str(seconds))
        allowed_from_ns = time.wall_ns + seconds * SECOND_NS
        assert bans.wait_ns(HOST) >= seconds * SECOND_NS
    assert early == 0
    assert probes > 100


def test_success_lifts_the_ban_also_on_disk(tmp_path: Path) -> None:
    time = Time()
    bans = BanList(tmp_path / "bans.json", time.clocks())
    bans.ban(HOST, 429, "5")
    bans.ban("other.example.org", 429, "500")
    time.go(10)
    assert bans.wait_ns(HOST) == 0
    assert bans.is_on_probation(HOST)
    bans.lift(HOST)
    again = BanList(tmp_path / "bans.json", time.clocks())
    assert not again.is_on_probation(HOST)
    assert again.wait_ns("other.example.org")


def test_wall_clock_that_is_set_forward_ends_no_ban() -> None:
    time = Time()
    bans = BanList(None, time.clocks())
    bans.ban(HOST, 418, "120")
    time.wall_ns += 3_600 * SECOND_NS
    assert bans.wait_ns(HOST) >= 120 * SECOND_NS


def test_bans_without_a_time_grow_and_end_within_a_week() -> None:
    time = Time()
    bans = BanList(None, time.clocks())
    lengths = [bans.ban(HOST, 418, None) // SECOND_NS for _ in range(4)]
    assert lengths == [121, 241, 481, 961]
    assert bans.ban(HOST, 418, "999999999999") == LONGEST_NS


@pytest.mark.parametrize("content", [b"", b"[]", b'{"api.example.org":', b"\xff\xfe", b'{"api.example.org":{"until_ns":"x"}}'])
def test_file_that_cannot_be_read_counts_as_empty_and_is_written_anew(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bans.json"
    path.write_bytes(content)
    bans = BanList(path, Time().clocks())
    assert bans.wait_ns(HOST) == 0
    bans.ban(HOST, 429, "60")
    assert BanList(path, Time().clocks()).wait_ns(HOST)


def test_file_that_cannot_be_written_is_left_and_the_ban_holds_for_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bans = BanList(tmp_path / "file" / "bans.json", Time().clocks())
    bans.ban(HOST, 429, "60")
    assert bans.wait_ns(HOST)


def test_two_processes_keep_each_others_bans(tmp_path: Path) -> None:
    path, time = tmp_path / "bans.json", Time()
    ours, theirs = BanList(path, time.clocks()), BanList(path, time.clocks())
    ours.ban("a", 429, "60")
    theirs.ban("b", 429, "60")
    later = BanList(path, time.clocks())
    assert later.wait_ns("a")
    assert later.wait_ns("b")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2000 22:13:50 GMT", 0.0),
        ("", None),
        (None, None),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("９", None),
        ("9" * 5_000, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_seconds(text, 1_700_000_000 * SECOND_NS) == seconds
