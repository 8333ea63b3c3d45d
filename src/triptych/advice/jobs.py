"""Which of the nine jobs a prompt is: the eight of the source texts' list, and the scene with many things in given
places, which they praise models for elsewhere. Read from the parse, with the words that speak for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from triptych.advice.challenges.attribute_mixing import attribute_mixing
from triptych.advice.challenges.counting import value
from triptych.advice.challenges.keeping import clauses
from triptych.advice.challenges.lettering import lettering
from triptych.advice.grammar import Parse, Sentence, parse
from triptych.advice.grammar.words import word_set

JOBS = {
    "faithful_face": "faithful faces from a reference",
    "infographic": "infographics and text",
    "portrait": "realistic portraits from words",
    "rapid_concepts": "rapid concepts in numbers",
    "concept_art": "concept art and beauty",
    "full_control": "full control: own weights, privacy, no cost",
    "multi_step_edit": "edits in several steps",
    "combo": "a combination of models",
    "precise_scene": "a scene with things in given numbers, places and colours",
}
DEFAULT = "precise_scene"

FACES = word_set(
    "face selfie likeness features identity headshots headshot person actor actress recognisable recognizable "
    "portrait grandmother grandfather mother father daughter son wife husband friend boss myself me model woman man "
    "girl boy"
)
REFERENCES = word_set("reference references attached ref.png ref selfie photo picture likeness identity image upload")
SAMENESS = word_set(
    "same identical exactly exact match faithful consistent unchanged recognisable recognizable preserve likeness "
    "alter keep looks my our this identity"
)
CHARTS = word_set(
    "infographic diagram chart flowchart thumbnail menu timeline map schematic worksheet banner flyer brochure"
)
PORTRAITS = word_set("portrait headshot close-up closeup")
REALISTIC = word_set(
    "photorealistic realistic photo photograph documentary candid studio 85mm 50mm 35mm wrinkle wrinkles freckles "
    "natural pores weathered mm"
)
MANY = word_set(
    "variations variation ideas concepts drafts sketches options batch bunch lots many several dozens versions "
    "mascots roughs thumbnails twenty thirty brainstorm explore throwaway"
)
FAST = word_set("quick quickly fast rapid rough cheap cheaply minute low-res low res vibe direction draft")
CHARACTERS = word_set(
    "character characters creature creatures mascot mascots monster villain goblin hero wizard robot sidekicks "
    "familiar pirate"
)
ART = word_set(
    "epic fantasy breathtaking dramatic surreal dreamscape dreamy painterly moody ethereal atmospheric stunning "
    "beautiful abstract artistic ornament ornate nouveau gothic fairytale illustration cinematic surprise creative "
    "intricate whimsical mystical composition mood"
)
CONTROL = word_set(
    "lora loras offline locally local private privacy checkpoint finetune fine-tune controlnet canny depth skeleton "
    "segmentation seed reproducible gpu uploaded on-device self-hosted comfyui"
)
CONTROL_PAIRS = (
    ("no", "api"), ("no", "data"), ("edge", "map"), ("pose", "map"), ("depth", "map"), ("my", "own"), ("train", "on"),
    ("fine", "tune"), ("not", "be"), ("nothing", "sent"), ("fixed", "seed"), ("this", "machine"),
    ("custom", "checkpoint"),
    ("api", "costs"), ("own", "weights"),
)  # fmt: skip
SECOND = (
    ("another", "model"), ("different", "one"), ("different", "model"), ("better", "model"),
    ("second", "model"), ("in", "another"), ("fast", "model"), ("one", "model"), ("hosted", "model"),
    ("cheap", "model"), ("from", "another"),
)  # fmt: skip
FINISHING = word_set("upscale upscaler render refine finish final finalise finalize winner print 4k 4K high-res")
DRAFTING = word_set("draft drafts sketch concepts concept generate fast cheaply small pick choose best chain")
PLACING = word_set(
    "left right above below under behind between on beside over front top inside next beneath underneath"
)


@dataclass(frozen=True)
class Evidence:
    """Words that speak for a job, and how strongly. start, end: in the prompt."""

    job: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Recognised:
    """The job, and all that spoke for it."""

    job: str
    evidence: tuple[Evidence, ...]
    scores: dict[str, float]


def recognise(prompt: str, *, edit: bool = False, references: bool = False) -> Recognised:
    """The job of a prompt. edit: it is an instruction for a picture; references: pictures of somebody come with it."""
    parsed = parse(prompt)
    found = [*_evidence(parsed, edit)]
    scores = dict.fromkeys(JOBS, 0.0)
    for one in found:
        scores[one.job] += one.weight
    if edit:
        scores["multi_step_edit"] += 2.0
    if references and any(token.lower in FACES for token in parsed.tokens):
        scores["faithful_face"] += 2.0
    scores[DEFAULT] += 0.2
    job = max(scores, key=lambda name: scores[name])
    return Recognised(job, tuple(one for one in found if one.job == job), scores)


def _evidence(parsed: Parse, edit: bool) -> Iterator[Evidence]:
    for sentence in parsed.sentences:
        yield from _words(sentence)
    yield from _combo(parsed)
    yield from _face(parsed)
    yield from _text(parsed)
    yield from _steps(parsed)
    yield from _scene(parsed)


def _words(sentence: Sentence) -> Iterator[Evidence]:
    """Single words and pairs."""
    for position, token in enumerate(sentence.tokens):
        word = token.lower
        pair = (word, sentence.lower(position + 1))
        if pair in CONTROL_PAIRS:
            yield Evidence("full_control", token.start, sentence.tokens[position + 1].end, 1.6)
        if pair in (("concept", "art"), ("art", "nouveau"), ("art", "deco"), ("oil", "painting"), ("surprise", "me")):
            yield Evidence("concept_art", token.start, sentence.tokens[position + 1].end, 2.0)
        for job, group, weight in (
            ("full_control", CONTROL, 2.0),
            ("portrait", PORTRAITS, 1.6),
            ("portrait", REALISTIC, 0.4),
            ("rapid_concepts", MANY, 1.0),
            ("rapid_concepts", FAST, 1.0),
            ("rapid_concepts", CHARACTERS, 0.4),
            ("concept_art", ART, 0.7),
            ("infographic", CHARTS, 1.8),
        ):
            if word in group or token.lemma in group:
                yield Evidence(job, token.start, token.end, weight)
        amount = value(token)
        if amount is not None and amount >= 8 and sentence.phrase_at(position) is not None:
            after = sentence.words(position + 1, position + 4)
            if any(each in MANY or each in FAST or each in CHARACTERS for each in after):
                yield Evidence("rapid_concepts", token.start, token.end, 1.5)


def _combo(parsed: Parse) -> Iterator[Evidence]:
    """Work that goes from one model to another, or from a draft to a final."""
    tokens = list(parsed.tokens)
    words = [token.lower for token in tokens]
    for index, pair in enumerate(itertools.pairwise(words)):
        if pair in SECOND:
            yield Evidence("combo", tokens[index].start, tokens[index + 1].end, 2.0)
    if words[:1] == ["chain"]:
        yield Evidence("combo", tokens[0].start, tokens[0].end, 2.5)
    drafts = [token for token in tokens if token.lower in DRAFTING]
    finals = [token for token in tokens if token.lower in FINISHING or token.text.lower() == "4k"]
    fourk = [first for first, second in itertools.pairwise(words) if (first, second) == ("4", "k")]
    if drafts and (finals or fourk):
        last = finals[-1] if finals else tokens[-1]
        yield Evidence("combo", drafts[0].start, max(last.end, drafts[0].end), 3.0 + 1.8 * bool(finals))


def _face(parsed: Parse) -> Iterator[Evidence]:
    """Somebody who is to be recognised."""
    faces = [token for token in parsed.tokens if token.lower in FACES]
    references = [token for token in parsed.tokens if token.lower in REFERENCES]
    same = [token for token in parsed.tokens if token.lower in SAMENESS]
    strong = [
        token for token in faces if token.lower in ("face", "selfie", "likeness", "features", "identity", "headshots")
    ]
    if faces and same and (references or strong):
        span = [*faces[:1], *same[:1], *references[:1]]
        weight = (
            2.2
            + 0.6 * bool(strong)
            + 0.6 * (bool(references) and bool(strong))
            + 0.5 * parsed.has("selfie", "attached", "my")
        )
        yield Evidence("faithful_face", min(each.start for each in span), max(each.end for each in span), weight)


def _text(parsed: Parse) -> Iterator[Evidence]:
    for spot in lettering(parsed):
        yield Evidence("infographic", spot.start, spot.end, 1.8)


def _steps(parsed: Parse) -> Iterator[Evidence]:
    """Two or more changes to something that is there."""
    changing = [clause for clause in clauses(parsed) if clause.changes and _orders(clause.tokens[0].lemma)]
    if len(changing) > 1:
        yield Evidence("multi_step_edit", changing[0].start, changing[-1].end, 1.4 * len(changing))


ORDERS = word_set(
    "change make turn replace swap add recolor recolour put give remove erase delete take brighten darken straighten "
    "crop warm cool sharpen move clean relight first next then finally in"
)


def _orders(lemma: str) -> bool:
    return lemma in ORDERS


def _scene(parsed: Parse) -> Iterator[Evidence]:
    """Numbers, places and colours of things."""
    for sentence in parsed.sentences:
        for phrase in sentence.phrases:
            if phrase.number is not None and phrase.head.tag == "NOUN" and (value(phrase.number) or 0) > 1:
                yield Evidence("precise_scene", phrase.start, phrase.end, 0.8)
            placing = [token for token in phrase.link if token.lower in PLACING]
            if placing and phrase.index and phrase.head.tag in ("NOUN", "PRON"):
                yield Evidence("precise_scene", placing[0].start, phrase.end, 0.4)
    for spot in attribute_mixing(parsed):
        yield Evidence("precise_scene", spot.start, spot.end, 0.6)
