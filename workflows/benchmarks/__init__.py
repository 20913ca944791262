"""How fast the product is, as ratios taken in one run: what `manage.py bench` fills, compares and shows."""
