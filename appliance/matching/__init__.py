"""Templates in memory and their comparison."""
