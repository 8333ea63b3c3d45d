"""Every part from scratch: the loop, the data, the stages. Knows no door; `triptych train` calls `stages.run`."""
