"""The app that holds what every page shares."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "governance.site"
    label = "site_pages"
    verbose_name = "Pages"

    def ready(self) -> None:
        from governance.site import checks  # noqa: F401  (importing it registers the checks)
