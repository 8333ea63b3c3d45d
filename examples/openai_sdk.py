"""The official OpenAI SDK against `triptych serve`: a picture, an edit, and a picture that can be watched.

Start `triptych serve` first; it prints its address. The token is made at the first start and kept in `keys.json` of the
data folder; here both may also come from the environment.
"""

import base64
import io
import json
import os
from pathlib import Path

import platformdirs
from openai import OpenAI
from PIL import Image

home = Path(os.environ.get("TRIPTYCH_HOME") or platformdirs.user_data_dir("triptych", appauthor=False))
token = os.environ.get("TRIPTYCH_TOKEN") or json.loads((home / "keys.json").read_text())["server_token"]
client = OpenAI(base_url=os.environ.get("TRIPTYCH_URL", "http://127.0.0.1:8765") + "/v1", api_key=token)

print("models:", ", ".join(model.id for model in client.models.list()))

made = client.images.generate(prompt="a red fox in the snow", quality="low", extra_body={"seed": 7})
fox = base64.b64decode(made.data[0].b64_json)
Path("fox.png").write_bytes(fox)
print(f"fox.png: {made.size}, {made.usage.total_tokens} tokens")

mask = Image.new("RGBA", Image.open(io.BytesIO(fox)).size, "black")
mask.paste((0, 0, 0, 0), (0, 0, 48, 48))  # transparent is where something else shall stand
buffer = io.BytesIO()
mask.save(buffer, "PNG")
edited = client.images.edit(image=("fox.png", fox), mask=("mask.png", buffer.getvalue()), prompt="a yellow balloon")
Path("balloon.png").write_bytes(base64.b64decode(edited.data[0].b64_json))
for note in edited.triptych["notes"]:
    print(f"{note['parameter']}: {note['text']}")

for event in client.images.generate(prompt="a boat at night", stream=True, partial_images=3):
    if event.type == "image_generation.partial_image":
        path = Path(f"boat-{event.partial_image_index}.png")
    else:
        path = Path("boat.png")
    path.write_bytes(base64.b64decode(event.b64_json))
    print(path)
