"""What is being solved: clusters, lattices, symmetries, Hamiltonians, basis states, motifs."""
