"""Edits by instruction: words to a program, the program to another plan, and which pixels that may change."""
