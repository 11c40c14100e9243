"""Chinese and English: segmentation, mentions of things, references. ``text_analysis`` is the interface of both."""
