"""Forms with pictures: read with every limit, and with nothing in them that is not asked for.

The parser of Starlette counts parts and bytes while it reads; the body as a whole is counted by `middleware`. A file's
name is only ever shown, and its type is decided by decoding it, not by what the form says.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from triptych.core.errors import FileProblem, OutOfMemory
from triptych.jobs.errors import StorageError
from triptych.server.errors import ApiError, of_validation
from triptych.server.routes.common import settings_of
from triptych.server.service import Kept, Service

TOO_MUCH = ("Too many", "Part exceeded")
"""How Starlette's complaints about a form begin that are about its size."""
MAX_PICTURES = 16
"""As OpenAI's."""
Model = TypeVar("Model", bound=BaseModel)


class InputFields(BaseModel):
    """The text fields of an upload."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_map: bool = False


@dataclass
class File:
    """One uploaded file. field: of the form. name: without folders, for people."""

    field: str
    name: str
    upload: UploadFile


@dataclass
class Form:
    """A parsed form of which everything has to be asked for."""

    data: FormData
    seen: set[str] = field(default_factory=set)

    def files(self, *names: str, most: int = MAX_PICTURES) -> list[File]:
        """The files under any of these names, in order."""
        self.seen.update(names)
        found = [(key, value) for key, value in self.data.multi_items() if key in names]
        if len(found) > most:
            raise ApiError(400, f"{len(found)} files are too many; at most {most} are taken", param=names[0])
        files: list[File] = []
        for key, value in found:
            if not isinstance(value, UploadFile):
                raise ApiError(400, "is text; the bytes of a picture file are needed", param=key)
            files.append(File(key, _shown(value.filename), value))
        return files

    def parameters(self, model: type[Model]) -> Model:
        """All text fields as `model`; a field that is there twice is refused, since two readers read it differently."""
        fields: dict[str, Any] = {}
        for key, value in self.data.multi_items():
            if isinstance(value, UploadFile):
                continue
            if key in fields:
                raise ApiError(400, "is there twice", param=key[:80])
            fields[key] = value
        self.seen.update(fields)
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            raise of_validation(list(error.errors())) from None

    def nothing_else(self) -> None:
        """Refuse files that nobody asked for."""
        for key in self.data:
            if key not in self.seen:
                raise ApiError(400, f"unknown parameter: {key[:80]!r}", code="unknown_parameter", param=key[:80])


@asynccontextmanager
async def form(request: Request) -> AsyncGenerator[Form]:
    """The form in the body; its temporary files are gone afterwards."""
    limits = settings_of(request).limits
    asked = request.form(max_files=limits.files, max_fields=limits.fields, max_part_size=limits.field_bytes)
    try:
        data = await asked
    except ApiError:
        raise
    except HTTPException as error:
        too_much = str(error.detail).startswith(TOO_MUCH)
        raise ApiError(413 if too_much else 400, f"the form cannot be read: {error.detail}") from None
    try:
        yield Form(data)
    finally:
        await data.close()


async def keep(service: Service, file: File, *, as_map: bool = False) -> Kept:
    """Decode a file far from here and keep it; what is no picture, or too much of one, is the sender's fault."""
    try:
        return await service.keep(await file.upload.read(), file.name, as_map=as_map)
    except StorageError:
        raise
    except (FileProblem, OutOfMemory) as error:
        raise ApiError(400, str(error), code="invalid_image", param=file.field) from None


def need_pictures(kept: Sequence[Kept]) -> None:
    if not kept:
        raise ApiError(400, "is required: one picture file or more", param="image")


def form_schema(parameters: type[BaseModel], *, pictures: bool) -> dict[str, Any]:
    """The body of a form route for `/openapi.json`: the fields of `parameters` and files."""
    file = {"type": "string", "format": "binary"}
    schema = parameters.model_json_schema()
    files: dict[str, Any] = {"image": {**file, "description": "A PNG, JPEG or WebP picture."}}
    if pictures:
        files["image[]"] = {"type": "array", "items": file, "maxItems": MAX_PICTURES}
        files["mask"] = {**file, "description": "Transparent, or without transparency white: edit here."}
    schema["properties"] = {**files, **schema["properties"]}
    schema["required"] = ["image", *schema.get("required", [])]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _shown(name: str | None) -> str:
    """The last part of a name that a stranger chose, printable and short."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if char.isprintable())[-80:]
