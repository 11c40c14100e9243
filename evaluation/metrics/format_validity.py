"""Format validity: the share of answers that a program can use as they came.

Where the whole answer is known (``raw``), it must have parsed (no ``error``). The rewrite itself must be one line of
text, without a label ("Rewrite:", "改写："), code fence, tag, JSON or a pair of quotation marks around it.
"""

from __future__ import annotations

import re

from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share

_LABEL = re.compile(
    r"\s*(?:\*\*)?(?:(?:here is |the )?(?:rewrit(?:e|ten|ing)|standalone|current)(?: (?:query|question))?|answer|output|query|"
    r"question|改写后?的?(?:问题|查询|句子)?|改写结果|答案?|输出|问题|查询)(?:\*\*)?\s*[:：]",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"```|</?[A-Za-z_]+>|^\s*[{\[].*[}\]]\s*$", re.DOTALL)
_QUOTED = re.compile(r"\s*([\"“'「『`])[^\"”'」』`]*[\"”'」』`]\s*")


def is_clean(rewrite: str) -> bool:
    """True when the text is one bare line."""
    stripped = rewrite.strip()
    return bool(
        stripped
        and "\n" not in stripped
        and not _LABEL.match(stripped)
        and not _MARKUP.search(stripped)
        and not _QUOTED.fullmatch(stripped)
    )


def _valid(case: MetricCase) -> Sums:
    return share(case.prediction.error is None and is_clean(case.prediction.rewrite))


FORMAT_VALIDITY = Metric("format_validity", "the answer can be used as it came", "higher", _valid)
