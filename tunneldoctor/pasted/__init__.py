"""What other programs printed, pasted by somebody: read offline with the signs that stand on the pages."""

from tunneldoctor.pasted.judge import Told, told
from tunneldoctor.pasted.scan import Seen, scan
from tunneldoctor.pasted.text import NotText, blocks

__all__ = ["NotText", "Seen", "Told", "blocks", "scan", "told"]
