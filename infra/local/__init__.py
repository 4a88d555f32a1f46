"""Notflix on one machine: the stores, the functions host, the simulators, the site and the command line."""
