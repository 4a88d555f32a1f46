"""Encoding: an upload becomes a ladder of final CMAF segments, listed by manifests that grow while chunks finish."""
