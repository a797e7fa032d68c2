"""Mail on its way out: written in the transaction that needs it, sent at the pace the mail server allows."""
