"""Playback: the check that a viewer may watch a title, and the short-lived key for reading its blobs."""
