"""The site: templates, styles and scripts, and the build that makes static pages of them."""
