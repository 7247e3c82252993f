"""Which codes a value set or a hierarchy means, by what is stored here."""
