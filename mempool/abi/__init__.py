"""Reads calldata as the EVM does: standard ABI JSON becomes readers keyed by selector, each under a budget."""

from mempool.abi.budget import MAX_CALLDATA_BYTES, MAX_COMMANDS, MAX_DEPTH, MAX_ITEMS, SPARE_BYTES, Budget
from mempool.abi.functions import FunctionReader, inputs_reader, plain_inputs_readers, read_arguments, read_functions
from mempool.abi.layout import Padding, Read
from mempool.abi.plain import ReadPlain
from mempool.abi.plans import MAX_SHAPES, PlanShape, shape_at
from mempool.abi.readers import arguments_reader
from mempool.abi.sizes import least_bytes

__all__ = [
    "MAX_CALLDATA_BYTES",
    "MAX_COMMANDS",
    "MAX_DEPTH",
    "MAX_ITEMS",
    "MAX_SHAPES",
    "SPARE_BYTES",
    "Budget",
    "FunctionReader",
    "Padding",
    "PlanShape",
    "Read",
    "ReadPlain",
    "arguments_reader",
    "inputs_reader",
    "least_bytes",
    "plain_inputs_readers",
    "read_arguments",
    "read_functions",
    "shape_at",
]
