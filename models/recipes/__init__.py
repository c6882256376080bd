"""How each pack is made from upstream files."""
