"""The readers: small networks that say what stands in a picture of the built-in world, to judge what models paint.

They are trained on renders and their round trips alone, with weights and seeds of their own, so that no model is judged
by a part of itself. `load.Readers` is the door; `ceilings.measure` says how well they read what is known exactly.
"""
