"""A simulator of OMDb for one machine: its API, failures and posters, for a few open films."""
