"""Mummaneni and Sajjan 2026: what hidden units of a restricted Boltzmann machine encode."""
