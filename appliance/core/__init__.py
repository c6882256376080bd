"""Pure judgement: no I/O, no clock, no threads, no logging."""
