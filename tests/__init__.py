"""The suite: facts about jobgate, checked against real servers."""
