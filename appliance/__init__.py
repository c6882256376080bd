"""The desk: what it sees, decides and records."""
