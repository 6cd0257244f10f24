"""Exchanges: one file a venue, bytes in and values out."""
