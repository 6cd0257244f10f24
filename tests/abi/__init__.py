"""Tests of the calldata reader, with eth-abi as the oracle."""
