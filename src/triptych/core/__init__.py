"""The words that every part shares: request, plan, state, family, events, errors. Knows no torch, no model, no door."""
