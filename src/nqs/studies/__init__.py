"""One folder a paper: its configuration, cells, tables, claims and figures."""
