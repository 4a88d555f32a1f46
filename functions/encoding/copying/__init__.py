"""The source's own pictures and sound as a rendition: whether they are suitable, and copying them into segments."""
