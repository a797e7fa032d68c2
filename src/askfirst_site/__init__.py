"""The application: people, consent and, later, money. Django at the edge; everything provable is in `askfirst`."""
