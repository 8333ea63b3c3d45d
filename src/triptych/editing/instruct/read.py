"""An instruction read to its end: edit after edit, each with the plan as those before it left it.

Knows a network and plans; what becomes of a reading that names nothing, or too much, is for whoever asks to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan
from triptych.editing.instruct.apply import apply
from triptych.editing.instruct.lexer import Words, lex
from triptych.editing.instruct.program import Edit, from_symbols
from triptych.planning.edit_tokens import EditTokens
from triptych.planning.editor import Editor, Situation


@dataclass(frozen=True)
class Read:
    """program: the edits, without the mark of the end; one that is "unread", or points at nothing, is the last.

    plan: after all of them that could be done. plans: what each edit was read beside, the first being the source.
    sure: the least probability of any choice. stopped: why no more was read, "" where the end was reached.
    """

    words: Words
    program: tuple[Edit, ...]
    plan: Plan
    plans: tuple[Plan, ...]
    sure: float
    stopped: str = ""


def read(editor: Editor, tokens: EditTokens, instruction: str, plan: Plan) -> Read:
    """The program of an instruction beside a plan. Raises `InvalidRequest` for more words than the editor reads."""
    words = lex(instruction, tokens)
    if len(words.names) > editor.config.words:
        told = f"has {len(words.names)} words; at most {editor.config.words} are read: do it in two edits"
        raise InvalidRequest("instruction", told)
    quotes = list(words.quotes)
    program: list[Edit] = []
    plans: list[Plan] = []
    touched: tuple[int, ...] = ()
    sure = 1.0
    for done in range(editor.config.edits + 1):
        written = editor.write(Situation(words.names, plan, done, touched), tokens)
        sure = min(sure, written.sure)
        is_text = written.symbols[0] == "op:text"
        edit = from_symbols(
            written.symbols, tokens.seen(plan), text=(quotes.pop(0) if quotes else None) if is_text else None
        )
        if edit.op == "done":
            return Read(words, tuple(program), plan, tuple(plans), sure)
        program.append(edit)
        plans.append(plan)
        if edit.op == "unread" or any(select.unclear or not select.things for select in edit.selects):
            return Read(words, tuple(program), plan, tuple(plans), sure, "what is meant is not found")
        if edit.op == "keep":
            touched = edit.select.things if edit.select else ()
            continue
        try:
            plan, touched = apply(plan, edit)
        except InvalidRequest as error:
            return Read(words, tuple(program), plan, tuple(plans), sure, str(error))
    return Read(words, tuple(program), plan, tuple(plans), sure, f"asks for more than {editor.config.edits} edits")
