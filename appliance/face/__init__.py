"""What can be measured on a frame; nothing here judges."""
