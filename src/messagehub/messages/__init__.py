"""Messages: what a customer asked to be said, and what came in."""
