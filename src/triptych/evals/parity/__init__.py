"""Whether a public checkpoint gives the picture here that it gives in diffusers: whole, same noise, same words.

Weights are random and in the public layout, since what is compared is code and not what was learned. diffusers is
imported inside of functions, for it is an extra.
"""
