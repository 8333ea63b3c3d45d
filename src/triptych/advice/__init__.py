"""The know-how: what is likely to go wrong with a prompt, how to say it better, and which model to ask.

Works on words alone: no picture, no network, no download, and nothing of the package but `core`.
"""

from triptych.advice.adviser import advise
from triptych.advice.finding import CHALLENGES, Advice, Finding, Missing
from triptych.advice.target import Target

__all__ = ["CHALLENGES", "Advice", "Finding", "Missing", "Target", "advise"]
