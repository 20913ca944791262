"""The app that holds what every page shares."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SiteConfig(AppConfig):
    name = "governance.site"
    label = "site_pages"
    verbose_name = _("Pages")

    def ready(self) -> None:
        from governance.site import checks  # noqa: F401  (importing it registers the checks)
