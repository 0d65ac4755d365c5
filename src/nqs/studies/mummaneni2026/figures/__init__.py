"""Figures: tables in, Figure out."""
