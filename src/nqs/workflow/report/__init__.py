"""The report: one HTML page with every figure and table of a scale, what it shows, and what became of the claims."""
