"""The shared base of all slices: settings, errors, HTTP, messages, stores, signing, paging, time and telemetry.

Nothing here imports a slice.
"""
