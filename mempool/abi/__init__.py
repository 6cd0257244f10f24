"""Reads calldata as the EVM does: standard ABI JSON becomes readers keyed by selector, each under a budget."""

from mempool.abi.budget import (
    MAX_CALLDATA_BYTES,
    MAX_COMMANDS,
    MAX_DEPTH,
    MAX_HASHES,
    MAX_HELD_BYTES,
    MAX_ITEMS,
    MAX_NEW_READERS,
    SPARE_BYTES,
    Budget,
)
from mempool.abi.functions import (
    FunctionReader,
    inputs_in_place,
    inputs_reader,
    only_struct_in_place,
    plain_inputs_readers,
    read_arguments,
    read_functions,
    read_or_find,
)
from mempool.abi.in_place import Offsets, ToUsual, blobs, item_at, word_at
from mempool.abi.layout import Padding, Read
from mempool.abi.plain import ReadPlain
from mempool.abi.plans import MAX_SHAPES, PlanShape, shape_at
from mempool.abi.readers import arguments_reader
from mempool.abi.sizes import least_bytes

__all__ = [
    "MAX_CALLDATA_BYTES",
    "MAX_COMMANDS",
    "MAX_DEPTH",
    "MAX_HASHES",
    "MAX_HELD_BYTES",
    "MAX_ITEMS",
    "MAX_NEW_READERS",
    "MAX_SHAPES",
    "SPARE_BYTES",
    "Budget",
    "FunctionReader",
    "Offsets",
    "Padding",
    "PlanShape",
    "Read",
    "ReadPlain",
    "ToUsual",
    "arguments_reader",
    "blobs",
    "inputs_in_place",
    "inputs_reader",
    "item_at",
    "least_bytes",
    "only_struct_in_place",
    "plain_inputs_readers",
    "read_arguments",
    "read_functions",
    "read_or_find",
    "shape_at",
    "word_at",
]
