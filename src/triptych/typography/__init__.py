"""Exact text with real fonts: found, laid out, drawn, blended, and read again. No models, no torch."""
