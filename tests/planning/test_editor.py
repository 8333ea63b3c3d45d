"""The editor network: what it may write, what it sees of a plan, and that it can learn."""

from __future__ import annotations

import pytest
import torch

from triptych.core.plan import Plan, PlanObject
from triptych.planning.edit_tokens import EditTokens, follows
from triptych.planning.editor import Editor, EditorConfig, Situation, collate, described, symbol_ids

TOKENS = EditTokens(
    ("fox", "car"), ("red", "blue"), ("snow", "night"), ("left",), ("top",), {"fox": "red"}, ("make", "the", "right")
)
FOX, CAR = (0.1, 0.4, 0.4, 0.8), (0.6, 0.5, 0.9, 0.8)
PLAN = Plan(
    background="snow", objects=(PlanObject(noun="fox", box=FOX), PlanObject(noun="fox", colour="blue", box=CAR))
)


def fresh(seed: int = 0) -> Editor:
    torch.manual_seed(seed)
    return Editor(EditorConfig(len(TOKENS), width=32, heads=2, reading_layers=1, writing_layers=1)).eval()


@pytest.mark.parametrize("words", [(), ("make",), ("make", "the", "fox", "blue") * 11])
@pytest.mark.parametrize("plan", [PLAN, Plan()])
@pytest.mark.parametrize("seed", range(3))
def test_untrained_weights_write_edits_all_the_same(words: tuple[str, ...], plan: Plan, seed: int) -> None:
    written = fresh(seed).write(Situation(words, plan), TOKENS)
    assert follows(TOKENS, TOKENS.seen(plan), written.symbols)
    assert 0 <= written.sure <= 1


def test_what_is_padding_changes_nothing() -> None:
    editor, situation = fresh(), Situation(("make", "the", "fox", "blue"), PLAN)
    batch = collate([situation], TOKENS, editor.config)
    symbols = torch.tensor([symbol_ids(("op:remove", "fox"), TOKENS)])
    whole = editor(batch, symbols)
    part = editor({**batch, "words": batch["words"][:, : editor.columns(4)]}, symbols)
    assert batch["words"].shape[1] > editor.columns(4)
    real = len(TOKENS) + len(PLAN.objects)  # pointers at things that are not there are never allowed
    longer = torch.zeros_like(batch["words"][:, editor.columns(4) :])
    assert not longer.any()
    # Cross-attention sees padding as one learned state, so that only its number of copies differs.
    assert torch.allclose(whole[..., :real].softmax(-1), part[..., :real].softmax(-1), atol=0.2)


def test_left_and_right_big_and_small_are_told_of_things_of_one_noun() -> None:
    first, second = described(Situation((), PLAN))
    assert first.tolist() != second.tolist()
    swapped = described(Situation((), PLAN.model_copy(update={"objects": PLAN.objects[::-1]})))
    ranks = slice(12, None)  # all but the order and the box itself
    assert swapped[0][ranks].tolist() == second[ranks].tolist()
    assert described(Situation((), Plan())).shape == (0, first.shape[0])
    assert described(Situation((), PLAN, touched=(1,)))[1].tolist() != second.tolist()


def test_it_learns_which_of_two_foxes_is_meant() -> None:
    """Words, plan and pointers have to come together for this: the loss falls, and both wishes are read."""
    editor = fresh().train()
    cases = [
        (("make", "the", "left", "fox", "blue"), ("op:recolour", "fox", "<any>", 0, "blue")),
        (("make", "the", "right", "fox", "red"), ("op:recolour", "fox", "<any>", 1, "red")),
        (("make", "the", "car", "red"), ("op:recolour", "car", "<any>", "<none>", "red")),
    ]
    situations = [Situation(words, PLAN) for words, _ in cases]
    batch = collate(situations, TOKENS, editor.config)
    ids = [symbol_ids(symbols, TOKENS) for _, symbols in cases]
    batch["symbols"] = torch.tensor(ids)
    optimizer = torch.optim.AdamW(editor.parameters(), lr=3e-3)
    first = float(editor.loss(batch).detach())
    for _ in range(60):
        loss = editor.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.2 * first
    editor.eval()
    for situation, (_, symbols) in zip(situations, cases, strict=True):
        assert editor.write(situation, TOKENS).symbols == symbols
