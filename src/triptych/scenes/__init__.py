"""The built-in world: captioned picture-book scenes whose truth is known exactly.

A scene is a typed graph (`graph`), drawn at random from a level (`sample`, `levels`), laid out (`layout`), worded
(`captions`) and painted (`render`). It imports nothing of ours but `core`.
"""

from triptych.scenes.captions import caption, named_order, synonyms, world_words
from triptych.scenes.graph import Fact, Group, Relation, Scene, SceneObject
from triptych.scenes.heldout import is_heldout
from triptych.scenes.levels import LEVELS, Level
from triptych.scenes.render import render
from triptych.scenes.sample import Split, sample_scene
from triptych.scenes.sprites import Sprites

__all__ = [
    "LEVELS",
    "Fact",
    "Group",
    "Level",
    "Relation",
    "Scene",
    "SceneObject",
    "Split",
    "Sprites",
    "caption",
    "is_heldout",
    "named_order",
    "render",
    "sample_scene",
    "synonyms",
    "world_words",
]
