"""Whom a certificate names, in a memo and on the page that checks one.

Example: "Registrar (Kawartha University)".
"""

from asn1crypto.x509 import Certificate


def name_of(certificate: Certificate) -> str:
    """The certificate's common name, with its organisation; "?" for one that names nobody."""
    subject = certificate.subject.native
    name, organisation = (_said(subject.get(kind)) for kind in ("common_name", "organization_name"))
    return f"{name} ({organisation})" if name and organisation else name or organisation or "?"


def _said(value: object) -> str:
    """A part of the name; one that stands there more than once is a list."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
