"""The process supervisor: starts the services of one machine in the order of their dependencies, and watches them.

A `Service` describes one process: how it is prepared, started, checked and stopped. A `ServiceProcess` runs it. The
`Supervisor` owns all of them and records their state for the other commands.
"""
