"""Facts about sessions as a whole: how they are stored, imported and found."""
