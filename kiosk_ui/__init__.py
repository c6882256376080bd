"""Place of the Qt window, which renders snapshots and sends intents; this version speaks through the terminal only."""
