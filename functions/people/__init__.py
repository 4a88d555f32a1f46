"""People: what an owner can see and do about one account."""
