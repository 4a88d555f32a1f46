"""Uploads: tickets to bring a film in, and the blob event that opens its encode job."""
