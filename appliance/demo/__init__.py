"""The demonstration clinic: real people from installed packages, played before the desk."""
