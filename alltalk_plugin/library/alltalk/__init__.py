"""An AllTalk folder, read as data and taken over. Nothing in it is changed or run."""
