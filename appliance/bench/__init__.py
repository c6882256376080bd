"""How fast the desk is, measured stage by stage."""
