"""Models and voices as things that a user adds, looks at and removes."""
