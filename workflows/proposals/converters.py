"""How a proposal's reference stands in an address: /proposals/MC-2026-0014/."""

from typing import Final

from django.urls import register_converter

REFERENCE: Final = r"[A-Z]{2,4}-\d{4}-\d{4,}"


class ReferenceConverter:
    regex = REFERENCE

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ReferenceConverter, "reference")
