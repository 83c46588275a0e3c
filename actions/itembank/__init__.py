"""The item bank: questions, items and activities, every version of which is kept."""
