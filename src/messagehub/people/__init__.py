"""People: who wants no messages, who has agreed to which, and at what hours nobody is written to."""
