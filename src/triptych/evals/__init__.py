"""The judge: readers that know the built-in world exactly, the rules that score a picture, and the comparison table.

It measures what any generator of the `Generator` port paints, and is handed the models; it builds none.
"""
