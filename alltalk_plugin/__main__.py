"""`python -m alltalk_plugin` is the command line."""

from alltalk_plugin.cli.main import main

if __name__ == "__main__":
    main()
