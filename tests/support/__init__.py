"""Builders of small problems, cells and tables for the tests."""
