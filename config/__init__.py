"""Every setting: its name, type and default, where it is read from, the page about it."""
