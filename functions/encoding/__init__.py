"""Encoding: turn an upload into CMAF segments for each rung of a ladder; manifests list them as chunks finish."""
