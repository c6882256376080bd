"""The `keldim` command: reads arguments, composes the desk, prints."""
