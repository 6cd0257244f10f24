"""Watches pending Ethereum transactions, simulates every swap exactly, and grades each prediction against the mined block."""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mempool.api import decode as decode
    from mempool.api import replay as replay
    from mempool.api import simulate as simulate
else:

    class _Package(ModuleType):
        """Loads the library surface on first use, so that `import mempool` costs next to nothing.

        A property wins over the attribute that importing the subpackage of the same name (`mempool.decode`) sets on its parent,
        which `__getattr__` would not; its setter lets that assignment pass.
        """

        decode = property(lambda _: importlib.import_module("mempool.api").decode, lambda *_: None)
        simulate = property(lambda _: importlib.import_module("mempool.api").simulate, lambda *_: None)
        replay = property(lambda _: importlib.import_module("mempool.api").replay, lambda *_: None)

    sys.modules[__name__].__class__ = _Package
