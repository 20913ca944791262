"""The proposals app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProposalsConfig(AppConfig):
    name = "workflows.proposals"
    verbose_name = _("Proposals")

    def ready(self) -> None:
        """A policy file that requires a field which proposals do not have is refused when it is read."""
        from governance.policies.loading import register_field_check
        from workflows.proposals.completeness import unknown_fields

        register_field_check(unknown_fields)
