"""Proofs that anybody can check: receipts of signatures, and the count of a whole log. No files here."""
