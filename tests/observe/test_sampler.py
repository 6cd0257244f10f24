from __future__ import annotations

import signal
import time
from collections import Counter
from types import SimpleNamespace

import pytest

from mempool.observe.sampler import repeat_for, sample, short_file
from mempool.observe.stacks import by_function

MODULUS = 2**2203 - 1


def hot(base: int) -> int:
    power = pow(base, MODULUS >> 1, MODULUS)
    return power * power % MODULUS


def work() -> None:
    for base in range(3, 6):
        hot(base)


def work_for(processor_seconds: float) -> None:
    """However many others want the processor meanwhile."""
    end = time.process_time() + processor_seconds
    while time.process_time() < end:
        work()


def test_samples_find_the_function_that_takes_the_time() -> None:
    stacks = sample(lambda: work_for(0.4), 500)
    total = sum(stacks.values())
    innermost = Counter[str]()
    for stack, count in by_function(stacks).items():
        innermost[stack[-1]] += count
    assert total >= 20
    assert innermost["hot (tests/observe/test_sampler.py)"] > total * 0.8
    assert not any(frame.startswith("sample (") for stack in stacks for frame in stack)


def test_timer_and_handler_are_as_before_even_after_an_error() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(ZeroDivisionError):
        sample(lambda: 1 // 0)
    assert signal.getsignal(signal.SIGPROF) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_work_runs_at_least_once_and_until_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [100.0]

    def take_some() -> None:
        seconds[0] += 0.25

    monkeypatch.setattr("mempool.observe.sampler.time", SimpleNamespace(monotonic=lambda: seconds[0]))
    assert repeat_for(0.0, take_some) == 1
    assert repeat_for(1.0, take_some) == 4


def test_file_of_a_frame_is_named_as_it_is_imported() -> None:
    assert short_file(repeat_for.__code__.co_filename) == "mempool/observe/sampler.py"
    assert short_file(pytest.__file__) == "pytest/__init__.py"
    assert short_file("<string>") == "<string>"
