"""The pages of many codes as one document for whoever is on call: by symptom and by layer, as Markdown or HTML."""

from tunneldoctor.runbook.html import render_html
from tunneldoctor.runbook.markdown import render_folder, render_markdown
from tunneldoctor.runbook.parts import Part, runbook

__all__ = ["Part", "render_folder", "render_html", "render_markdown", "runbook"]
