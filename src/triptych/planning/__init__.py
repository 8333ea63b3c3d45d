"""Plan first, then paint: prompt to plan by a tiny decoder, the plan's tokens, its drawing and its measures."""
