"""Changing a picture that is there: masks, the pixel lock and its proof, the dial, outpainting, the edit history."""
