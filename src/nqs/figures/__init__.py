"""Figures, one module per study: tables in, Figure out. They never average or fit."""
