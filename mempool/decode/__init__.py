"""Router calls to swap intents, given the tables of a chain."""

from mempool.decode.build import build_tables
from mempool.decode.decoder import decode, decode_transaction
from mempool.decode.tables import DecodeTables, RouterTable

__all__ = ["DecodeTables", "RouterTable", "build_tables", "decode", "decode_transaction"]
