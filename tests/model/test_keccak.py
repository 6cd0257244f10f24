"""The hash against values that the chain itself publishes."""

from __future__ import annotations

from mempool.model.keccak import keccak256


def test_empty_input_hashes_to_the_code_hash_of_an_account_without_code() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_signature_hashes_to_the_topic_of_the_transfer_event() -> None:
    topic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert keccak256(b"Transfer(address,address,uint256)").hex() == topic
