"""Simulated exchanges on loopback: five venues that speak their own protocols, over a generated market or recordings, and fail on
demand.
"""
