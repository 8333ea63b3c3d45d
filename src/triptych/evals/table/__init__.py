"""The comparison table: models paint the rows' prompts, a reader reads them, the rules judge, and all of it is told."""
