"""Model switching side by side: three policies that others have, and ours."""
