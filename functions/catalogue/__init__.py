"""The catalogue: what a title is, how it is described and pictured, and the static pages that the site reads."""
