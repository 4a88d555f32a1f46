"""Simulators of external services for one machine: OMDb, PayPal, and a mail server that delivers nothing."""
