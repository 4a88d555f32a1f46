"""Manifests of what is finished: the content of a title at a given time, as DASH and as HLS."""
