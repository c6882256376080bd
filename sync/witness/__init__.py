"""An independent witness of a fund's transparency log: it signs what only grew, and nothing else."""
