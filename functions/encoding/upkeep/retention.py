"""How long the files of a job are kept after it has ended; see `sweep`."""

from datetime import timedelta

REPLACED_KEPT = timedelta(hours=24)
"""How long files are kept after a newer version of the title became ready: somebody may still be watching them."""

MANIFESTS_KEPT = timedelta(hours=1)
"""How long the growing manifests of a failed job are kept; a player that polls them would never stop."""

FAILED_KEPT = timedelta(days=7)
"""How long the finished parts of a failed job are kept, so that a retry continues with them."""
