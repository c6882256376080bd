"""The Qt window: renders snapshots, sends intents."""
