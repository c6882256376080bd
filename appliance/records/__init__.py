"""What the desk keeps: people, templates, consents, services."""
