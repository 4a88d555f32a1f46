"""The security headers of every answer of the API.

An answer is data for scripts, so no browser may render it, frame it, cache it, or guess its type. HSTS takes effect
over HTTPS only; it does not include subdomains, because the owner of a domain may have other services there.
"""

API_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
