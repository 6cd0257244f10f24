"""A local Ethereum node with the real Uniswap contracts at their mainnet addresses, and users who trade on them."""
