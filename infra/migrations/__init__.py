"""Migrations: the databases of `sql/`, their tables and procedures, and the two accounts of each.

Used by `./notflix up` and, as `python -m infra.migrations`, in Azure. `statements` cuts a file, `files` reads the
folders, `accounts` makes owner and user, `record` is what a database knows of its migrations, `runner` brings all up to
date.
"""
