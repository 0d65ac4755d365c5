"""Supervised training of many networks at once."""
