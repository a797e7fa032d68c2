"""People who run the site: sign-in, and what each of them did."""
