"""The public pages: they show and ask; what is done is decided by the statement's actions."""
