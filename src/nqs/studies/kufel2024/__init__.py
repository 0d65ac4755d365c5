"""Kufel 2024, the primer: its key ideas, hopes and challenges as computed figures."""
