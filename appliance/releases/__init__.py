"""The guard of the program's own releases: run by the system's Python outside every release; none can break it."""
