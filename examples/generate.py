"""Pictures from a prompt, saved with the recipe that makes them again."""

import triptych

result = triptych.generate("three red apples on a beach", seed=7, n=2)

for note in result.notes:  # what became of words and settings: mapped, cut, or beyond what the model learned
    print(f"{note.parameter}: {note.text}")
for image in result.images:
    path = image.save(f"apples-{image.index}.png")
    print(path, triptych.replay(path).verdict)
print(f"{result.seconds['total']:.1f} s, of which {result.seconds['denoise']:.1f} s denoising")
