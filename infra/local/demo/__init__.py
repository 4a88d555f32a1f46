"""The demonstration catalogue, which `up` adds to a new, empty service.

It is uploaded like any film, as blobs in the `uploads` container: first the metadata and artwork of all titles, so that
the site is not empty, then the films, starting with those that are fastest to prepare.
"""

from infra.local.demo.arrival import bring_in

__all__ = ["bring_in"]
