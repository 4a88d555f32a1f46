"""Letters to viewers: what they say, and the mail server that takes them."""
