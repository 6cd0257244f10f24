"""Tests of decoding: constructed calls with eth-abi as the oracle, real blocks, and hostile calldata."""
