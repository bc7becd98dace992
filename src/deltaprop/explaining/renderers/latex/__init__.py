"""A LaTeX document, for pdflatex or xelatex."""
