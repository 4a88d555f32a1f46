"""Uploads: tickets to upload films, and the blob event that opens an encode job."""
