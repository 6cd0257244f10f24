"""The second line of defence for keys: whatever a library prints or logs on stderr has no node URL's secret part in it."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO, cast

from mempool.model.secret import mask_text, secret_parts


class MaskedStream:
    """A text stream that takes keys out of what is written through it; all else is the stream's own."""

    def __init__(self, stream: TextIO, known_secrets: Collection[str]) -> None:
        self._stream, self._known_secrets = stream, set(known_secrets)

    def write(self, text: str) -> int:
        self._stream.write(mask_text(text, self._known_secrets))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def learn(self, secrets: Iterable[str]) -> None:
        self._known_secrets.update(secrets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def protect(arguments: Iterable[str], environ: Mapping[str, str]) -> None:
    """Make stdout and stderr safe to write to, mask stderr, quieten loggers that print requests, leave no core dump behind."""
    sys.stdout = sys.stdout or open_nowhere()
    sys.stderr = sys.stderr or open_nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no "…" shows "?"
    texts = [*arguments, *(text for name, text in environ.items() if name.startswith(("ETH_", "MEMPOOL_")))]
    urls = [url for text in texts if "://" in text for url in text.removeprefix("--rpc-url=").split()]
    known = {secret for url in urls for secret in secret_parts(url)}
    sys.stderr = cast("TextIO", MaskedStream(sys.stderr, known))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s: %(message)s")
    logging.getLogger("websockets").setLevel(logging.WARNING)
    forbid_core_dumps()


def open_nowhere() -> TextIO:
    """For a stream that was closed before the start (`>&-`), where Python has None."""
    return Path(os.devnull).open("w", encoding="utf-8")


def learn_secrets(urls: Iterable[str]) -> None:
    """Tell the masked stderr the keys of URLs that came from a file."""
    if isinstance(sys.stderr, MaskedStream):
        sys.stderr.learn(secret for url in urls for secret in secret_parts(url))


def forbid_core_dumps() -> None:
    """A core dump would hold every key. Windows has none of this kind."""
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
