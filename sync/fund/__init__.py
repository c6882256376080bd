"""The fund's gateway: receives, verifies, keeps and acknowledges events."""
