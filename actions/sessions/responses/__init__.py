"""What learners answered, question by question, and what it earned."""
