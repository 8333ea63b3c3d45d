"""Many requests in one engine: they share forwards, and every picture is the one that it would be alone."""

from triptych import Engine, Library, Request
from triptych.core.recipe import pixels_sha256

requests = [
    Request(prompt="a cat on the grass", seed=1, steps=8),
    Request(prompt="two blue fish underwater", seed=2, steps=12, sampler="heun", guidance=4.0),
    Request(prompt="a snowman", negative="night", seed=3, steps=5, sampler="dpmpp_2m"),
    Request(prompt="a rocket at night", model="diffusion", seed=4, steps=8),
]
library = Library()  # keeps what it has loaded; one is enough for any number of engines

together = Engine(library, largest_batch=8).generate_many(requests)
for request, pictures in zip(requests, together, strict=True):
    ((alone,),) = Engine(library).generate_many([request])
    same = pixels_sha256(alone.pixels) == pixels_sha256(pictures[0].pixels)
    print(f"{request.prompt:<26} {request.model:<10} alone and in company: {'equal' if same else 'DIFFERENT'}")
