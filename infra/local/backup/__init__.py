"""Backs up a whole product to a folder or another storage account, and restores it into an empty home.

A backup is a copy of the data that cannot be derived from other data: titles, jobs and viewing history (MongoDB),
accounts, subscriptions and payments (MySQL), films, segments and the site (blobs), the keys, and the state of the
simulators. A backup does not contain queue messages (timers send again what is due), Redis (sessions: everybody logs in
again) or the graph (it is rebuilt from MongoDB).
"""
