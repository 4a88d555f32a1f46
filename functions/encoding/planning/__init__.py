"""From an upload to a plan: what the file contains, whether it can become a film, and how it is encoded."""
