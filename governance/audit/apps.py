"""Installs the database's own refusal to change what was recorded, after every migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "governance.audit"
    verbose_name = _("Record")

    def ready(self) -> None:
        from governance.audit.append_only import install_for_app

        post_migrate.connect(install_for_app, dispatch_uid="governance.audit.append_only")
