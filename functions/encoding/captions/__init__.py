"""Automatic captions of titles that are ready: which titles get them, their steps, and how speech becomes cues."""
