"""The catalogue: titles, their descriptions and artwork, and the static files that the site reads."""
