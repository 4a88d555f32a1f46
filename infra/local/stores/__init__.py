"""The stores that stand in for Azure's on one machine, and the supervisor that starts, checks and stops them.

A `Part` says how one process is prepared, started and asked whether it answers; a `Keeper` owns that process; the
`Supervisor` keeps all of them, in the order of their needs. Each store has one module that returns its `Part`.
"""
