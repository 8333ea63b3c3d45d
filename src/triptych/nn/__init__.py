"""Building blocks of networks: no model names, no prompts, no files."""
