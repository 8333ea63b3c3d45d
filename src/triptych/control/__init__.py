"""Structure as pictures: edges, segmentation, depth and pose, made from pixels or from things whose places are known.

Arrays in, arrays out. It knows no scene, plan, model or file; what turns a scene into things is `evals.scene_maps`.
"""

from triptych.control.canny import canny
from triptych.control.things import Thing, depth, pose, segmentation

__all__ = ["Thing", "canny", "depth", "pose", "segmentation"]
