"""Public checkpoints, loaded into the engine's own families: Stable Diffusion, SDXL, FLUX and their relatives.

A checkpoint is data that anyone may have written. `folders`, `single` and `installed` look at it without torch: JSON
with bounds, safetensors headers checked before anything is allocated, classes from an allow-list, never an import by
a name in a file. `loading` builds networks from what they found, and fills them.
"""
