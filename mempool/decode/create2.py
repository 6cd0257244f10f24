"""Pool addresses by CREATE2: `keccak256(0xff, factory, salt, init code hash)[12:]` (EIP-1014)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mempool.errors import ConfigError
from mempool.model.keccak import keccak256

Salt = Callable[[bytes, bytes, int], bytes]
"""`(token0, token1, fee_pips) -> what is hashed to the salt`, the tokens ordered by address."""


def packed_pair_salt(token0: bytes, token1: bytes, _fee_pips: int) -> bytes:
    """UniswapV2Factory.createPair: `abi.encodePacked(token0, token1)`."""
    return token0 + token1


def encoded_pool_salt(token0: bytes, token1: bytes, fee_pips: int) -> bytes:
    """UniswapV3PoolDeployer.deploy: `abi.encode(token0, token1, fee)`."""
    return bytes(12) + token0 + bytes(12) + token1 + fee_pips.to_bytes(32)


SALTS: Mapping[str, Salt] = {"uniswap_v2": packed_pair_salt, "uniswap_v3": encoded_pool_salt}


def salt_of(kind: str) -> Salt:
    """The salt of a pool family. Raises `ConfigError` where it has none."""
    try:
        return SALTS[kind]
    except KeyError:
        raise ConfigError(f"pool kind {kind!r} is not one of {', '.join(SALTS)}") from None


def pool_address(factory: bytes, init_code_hash: bytes, salt: bytes) -> bytes:
    """The 20-byte address of the pool that `factory` creates with what is hashed to its salt."""
    return address_of_salted(factory, init_code_hash, keccak256(salt))


def address_of_salted(factory: bytes, init_code_hash: bytes, hashed_salt: bytes) -> bytes:
    """The same, of the salt's 32-byte hash."""
    return keccak256(b"\xff" + factory + hashed_salt + init_code_hash)[12:]
