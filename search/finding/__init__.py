"""How a tree becomes SQL, and where a page begins and ends."""
