"""The proposals app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProposalsConfig(AppConfig):
    name = "workflows.proposals"
    verbose_name = _("Proposals")

    def ready(self) -> None:
        """Policies learn which fields proposals have: a file that requires another is refused when it is read."""
        from governance.policies.checking import register_field_check
        from governance.policies.fields import register_field_names
        from workflows.proposals.completeness import unknown_fields
        from workflows.proposals.content import field_names

        register_field_check(unknown_fields)
        register_field_names(field_names)
