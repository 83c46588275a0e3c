"""What a user of jobgate would bring: an action and tasks, here to be counted."""
