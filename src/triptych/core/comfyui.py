"""The settings inside a ComfyUI graph, found by following the sampler's wires. Read only, never run.

A graph has no fixed place for anything: this finds the first node that is wired like a sampler and goes back
along its `positive` and `negative` inputs to the nearest text. What a graph computes from other nodes stays
unknown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

MAX_NODES = 2000

_TEXT_INPUTS = ("text", "prompt", "text_g", "clip_l", "t5xxl", "string", "value")
_FIELDS = {
    "seed": ("seed", "noise_seed"),
    "steps": ("steps",),
    "sampler": ("sampler_name",),
    "guidance": ("cfg", "guidance"),
    "width": ("width",),
    "height": ("height",),
    "model": ("ckpt_name", "unet_name", "model_name"),
}
# The UI graph stores widget values without names; these are the orders of the core nodes.
_WIDGETS = {
    "CLIPTextEncode": ("text",),
    "KSampler": ("seed", "control_after_generate", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
}


@dataclass(frozen=True)
class Node:
    """values: inputs that were typed in. wires: inputs that come from another node, by its id."""

    kind: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    wires: dict[str, str] = field(default_factory=dict[str, str])


Graph = dict[str, Node]


def api_nodes(data: Mapping[str, Any]) -> Graph:
    """The graph of the `prompt` field: {id: {"class_type", "inputs": {name: value or [id, output]}}}."""
    graph: Graph = {}
    for key, node in list(data.items())[:MAX_NODES]:
        entry = _mapping(node)
        if "class_type" not in entry:
            continue
        inputs = _mapping(entry.get("inputs"))
        wires = {name: str(cast(list[Any], value)[0]) for name, value in inputs.items() if _is_wire(value)}
        values = {name: value for name, value in inputs.items() if name not in wires}
        graph[str(key)] = Node(str(entry["class_type"]), values, wires)
    return graph


def ui_nodes(data: Mapping[str, Any]) -> Graph:
    """The graph of the `workflow` field: nodes with unnamed widget values, and links [id, from, slot, to,
    slot, type].
    """
    links = {
        str(link[0]): str(link[1])
        for link in map(_sequence, _sequence(data.get("links"))[: 4 * MAX_NODES])
        if len(link) > 1
    }
    graph: Graph = {}
    for node in map(_mapping, _sequence(data.get("nodes"))[:MAX_NODES]):
        kind = str(node.get("type", ""))
        values = dict(zip(_WIDGETS.get(kind, ()), _sequence(node.get("widgets_values")), strict=False))
        slots = [_mapping(slot) for slot in _sequence(node.get("inputs"))]
        wires = {
            str(slot.get("name")): links[str(slot.get("link"))] for slot in slots if str(slot.get("link")) in links
        }
        graph[str(node.get("id"))] = Node(kind, values, wires)
    return graph


def settings(graph: Graph) -> dict[str, Any]:
    """What is stated in the graph, by our names; values are as found and still untrusted."""
    found: dict[str, Any] = {}
    for name, inputs in _FIELDS.items():
        stated = (node.values[key] for node in graph.values() for key in inputs if key in node.values)
        value = next(stated, None)
        if value is not None:
            found[name] = value
    sampler = next((node for node in graph.values() if "positive" in node.wires), None)
    if sampler is not None:
        for name in ("positive", "negative"):
            found[name] = _text_behind(graph, sampler.wires.get(name))
    else:
        texts = (text for node in graph.values() if (text := _text_of(node)))
        found["positive"] = next(texts, None)
    return found


def _text_behind(graph: Graph, start: str | None) -> str | None:
    """The nearest text upstream of `start`, breadth first; a ring of wires ends where it began."""
    queue, seen = deque([start]), {start}
    while queue:
        node = graph.get(queue.popleft() or "")
        if node is None:
            continue
        if text := _text_of(node):
            return text
        for behind in node.wires.values():
            if behind not in seen:
                seen.add(behind)
                queue.append(behind)
    return None


def _text_of(node: Node) -> str | None:
    texts = (node.values.get(name) for name in _TEXT_INPUTS)
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def _is_wire(value: Any) -> bool:
    return isinstance(value, list) and len(cast(list[Any], value)) == 2 and isinstance(cast(list[Any], value)[1], int)


def _mapping(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _sequence(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
