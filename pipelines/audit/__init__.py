"""The shortcut audit: can chosen be told from rejected without the dialogue?"""
