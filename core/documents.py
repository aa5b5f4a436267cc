"""Documents that people upload to prove something: a PDF or a picture, recognised by its content, never decoded here."""

from __future__ import annotations

from core.errors import BodyTooLarge, FieldError, InvalidInput

MOST_BYTES = 10_000_000
_SIGNATURES = ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def document_type(content: bytes) -> str:
    """The media type of a document.

    Raises:
        BodyTooLarge: more than 10 MB.
        InvalidInput: its content is not that of a PDF, JPEG, PNG or WebP.
    """
    if len(content) > MOST_BYTES:
        raise BodyTooLarge
    for signature, content_type in _SIGNATURES:
        if content.startswith(signature):
            return content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidInput(errors=(FieldError("document", "wrong_type", "Send a PDF, JPEG, PNG or WebP file."),))
