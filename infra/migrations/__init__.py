"""Migrations: create the databases of `sql/`, their tables and procedures, and two accounts per database.

Used by `./notflix up` and, as `python -m infra.migrations`, in Azure. `statements` splits a file, `files` reads the
folders, `accounts` creates owner and user, `record` stores which migrations a database has, and `runner` applies the
missing ones.
"""
