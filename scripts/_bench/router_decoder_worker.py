"""Times uniswap-universal-router-decoder inside its own environment, a line of JSON for each line of JSON.

It is run by that environment's Python, where nothing of this project is installed. A request is `{"calldata": hex, "count": n}`;
the answer is the processor seconds of decoding it so often, and how many of its commands came out decoded.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def main() -> None:
    module: Any = importlib.import_module("uniswap_universal_router_decoder")
    decode = module.RouterCodec().decode.function_input
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        calldata, count = request["calldata"], request["count"]
        inputs = decode(calldata)[1]["inputs"]
        started = time.process_time()
        for _ in range(count):
            decode(calldata)
        seconds = time.process_time() - started
        # What it cannot decode it hands back as hex.
        known = sum(not isinstance(each, str) for each in inputs)
        print(json.dumps({"seconds": seconds, "known": known, "commands": len(inputs)}), flush=True)


if __name__ == "__main__":
    main()
