"""Simulated exchanges on loopback: five venues that speak their own protocols over one generated market, and fail on demand."""
