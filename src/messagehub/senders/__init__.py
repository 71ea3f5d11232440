"""Which senders may write where, and which of several is taken."""
