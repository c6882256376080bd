"""Everything about model packs."""
