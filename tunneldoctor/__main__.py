"""``python -m tunneldoctor``."""

from tunneldoctor.cli import main

if __name__ == "__main__":
    main()
