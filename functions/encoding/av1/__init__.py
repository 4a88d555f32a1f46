"""The second encode of a title, in AV1: when it is worth it, its steps, and its segments."""
