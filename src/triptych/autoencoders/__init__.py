"""Pictures to latents (`kl`) or codes (`fsq`) at an eighth of their size, and back; in tiles where they are
large.
"""
