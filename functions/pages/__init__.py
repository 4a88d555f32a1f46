"""Pages: the texts that an owner must publish, such as terms and privacy, and help and contact."""
