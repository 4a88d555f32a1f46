"""A simulator of OMDb for one machine: its API, its failures and its posters, for a few openly licensed films."""
