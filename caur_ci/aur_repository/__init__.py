"""A package's git repository at the AUR, for those who maintain it there.

Which of a folder's files belong in it (`belonging`), what the AUR demands of them (`rules`), the
way there by ssh (`access`, `remote`), and what is said on the way (`answers`).
"""
