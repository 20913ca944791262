"""What `manage.py audit` can do, a module each."""
