"""How the program becomes Debian packages: `make deb`, or `python -m firmware_notes.debian`."""
