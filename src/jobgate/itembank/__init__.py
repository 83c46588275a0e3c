"""The item bank: questions, items and activities as authors set them, each with every version that it had.

`entries` is what callers send, `drafts` what is kept of it, `storing` stores; `records` is what callers see, `pages`
finds it. What a session takes from here when it is stored is `sessions.versions` and the statements of `sessions.sql`.
"""
