"""SQLite as this site's database: Django's, with a queue in front of its one writer."""
