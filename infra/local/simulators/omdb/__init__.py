"""A simulator of OMDb for one machine: its questions, answers, failures and posters, for a handful of open films."""
