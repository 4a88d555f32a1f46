"""The site: templates, styles and scripts, and the build that renders them to static pages."""
