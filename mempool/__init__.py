"""Watches pending Ethereum transactions, simulates every swap exactly, and grades each prediction against the mined block."""

__version__ = "0.1.0"
