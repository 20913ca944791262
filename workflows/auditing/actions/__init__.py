"""The only place in this app that changes state, a module for each part."""
