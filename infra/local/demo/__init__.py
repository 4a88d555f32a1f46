"""The demonstration catalogue: what `up` puts into a new, empty service so that there is something to see.

It goes in the way anybody's films would: as blobs in the `uploads` container. First every title's description and art,
which makes the site look alive at once, then the films, the quickest one first.
"""

from infra.local.demo.arrival import bring_in

__all__ = ["bring_in"]
