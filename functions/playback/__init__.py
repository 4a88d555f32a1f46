"""Playback: who may watch a title, and the short-lived key that its blobs are read with."""
