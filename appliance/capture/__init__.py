"""Where frames come from: cameras, recordings, scripted scenes."""
