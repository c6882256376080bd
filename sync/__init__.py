"""The signed ledger and its way to the fund; carries bytes, not biometrics."""
