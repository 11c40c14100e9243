"""What keys of services look like: one list for what is published, and for what must not stand in a build file."""

from __future__ import annotations

import re

API_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2}))(?:"
    r"sk-[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic, DeepSeek, DashScope, OpenRouter
    r"|hf_[A-Za-z0-9]{30,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|LTAI[A-Za-z0-9]{16,}"  # Alibaba Cloud
    r"|AKID[A-Za-z0-9]{32}"  # Tencent Cloud
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|xai-[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pplx-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{37}|[sr]k_live_[A-Za-z0-9]{20,}"
    r"|AIza[A-Za-z0-9_-]{35}|gsk_[A-Za-z0-9]{30,}|nvapi-[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a signed token (RFC 7519)
    r"|(?i:bearer)[ \t]+[A-Za-z0-9._~+/-]{20,}"
    r"|(?i:authorization:\s*basic)\s+[A-Za-z0-9+/]{8,}={0,2}"
    r")"
)
"""A key of a service, by the prefix that its maker gave it. Hardly anything else has that form."""
# Shorter than real ones, or without a known length: not enough to refuse a file, enough not to show it.
_KEY_LIKE = re.compile(
    r"(?<![A-Za-z0-9_-])(?:(?:sk|pk|hf|gsk|xai|gh[pousr])[-_]|nvapi-|glpat-|AKIA|LTAI)[A-Za-z0-9_-]{6,}"
)
_LOGIN = re.compile(r"(://)[^/\s@]+@")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PREFIXED = re.compile(r"(?:sk|pk|hf|gsk|xai|gh[pousr]|github_pat)_\w{12,}|(?:AKIA|ASIA|LTAI|AKID|AIza)\w{12,}")


def holds_key(text: str) -> bool:
    """Whether a key of a service, or a URL with a user's password, stands in ``text``.

    A word such as ``sk-learn-dialogues-for-tests`` is none: keys have digits.
    """
    keys = (found[0] for found in API_KEY.finditer(text))
    with_password = any(":" in found[0][3:] for found in _LOGIN.finditer(text))
    return with_password or any(key.startswith("-----") or any(map(str.isdigit, key)) for key in keys)


def hide_keys(text: str) -> str:
    """``text`` with ``…`` in the place of whatever may be a key or the login of a URL."""
    return _LOGIN.sub(r"\1…@", _KEY_LIKE.sub("…", API_KEY.sub("…", text)))


def is_variable_name(text: str) -> bool:
    """Whether ``text`` can be the name of an environment variable, and does not look like a key itself."""
    if not _NAME.fullmatch(text) or API_KEY.search(text):
        return False
    digits, lower = any(map(str.isdigit, text)), any(map(str.islower, text))
    upper = any(map(str.isupper, text))
    if _PREFIXED.fullmatch(text) and (digits or (upper and lower)):
        return False
    # Keys without a prefix: long, and no word in them.
    return not (len(text) >= 24 and "_" not in text and digits and (lower or len(text) >= 32))
