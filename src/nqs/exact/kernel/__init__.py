"""The compiled kernel of exact diagonalisation: orbits, lists of neighbours, screening of sectors."""
