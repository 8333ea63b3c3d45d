"""A small grammar of English prompts: words, their kinds, phrases, links between phrases, negations, edits.

It is written for prompts, that is for lists of noun phrases with participles, prepositions and the odd sentence, over
any nouns. It is no grammar of English: clauses inside clauses are read flat.
"""

from triptych.advice.grammar.parse import Parse, Sentence, parse
from triptych.advice.grammar.phrases import Phrase
from triptych.advice.grammar.tokens import Token

__all__ = ["Parse", "Phrase", "Sentence", "Token", "parse"]
