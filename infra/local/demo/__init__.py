"""The demonstration catalogue, which `up` adds to a new, empty service.

It is uploaded like any film, as blobs in the `uploads` container. The metadata and artwork of all titles come first, so
that the site is not empty; the films follow, starting with those that are fastest to prepare.
"""

from infra.local.demo.arrival import bring_in

__all__ = ["bring_in"]
