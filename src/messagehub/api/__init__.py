"""The HTTP API: words in, a verb called, JSON out. It decides nothing."""
